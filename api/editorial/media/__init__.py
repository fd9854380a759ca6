"""Editors' routes about the files of programs: whether an address can be fetched, and pictures that are uploaded."""
