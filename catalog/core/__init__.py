"""What every room of the catalogue uses.

Settings, database, errors, checks of fields, text, actors, the audit log, limits, and the list of programs that a
transaction has changed.
"""
