"""Statements that lead on from a program, or from nothing: what is related to it. The caller runs them."""
