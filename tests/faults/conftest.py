"""What the tests of the pipeline have."""

from tests.indexer.conftest import pipeline

__all__ = ["pipeline"]
