"""Tests of `api.operations.webhooks`."""
