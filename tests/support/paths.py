"""Folders that tests read."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
# Recordings and catalogues beside the checkout. Tests that need them have the marker `shared`.
SHARED = ROOT.parent / "shared"
