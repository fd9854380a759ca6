"""Editors' lists of programs in every state, and of deleted ones.

`params` reads and describes the parameters · `search` finds programs by words that people type · `routes` answers · `saved` keeps
lists under a name.
"""
