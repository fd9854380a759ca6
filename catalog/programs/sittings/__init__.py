"""Sittings: what one author saves automatically, one time after the other, is one revision and one audit event."""
