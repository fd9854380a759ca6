"""Reads what an editor typed, and saves it: the values of a form, what is wrong with them, and what two people wrote."""
