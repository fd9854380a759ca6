"""Editors' routes for pending revisions: changes that wait for a reviewer beside the live version."""
