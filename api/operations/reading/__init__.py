"""Operators' routes that only read: the audit log, the schedule, imports and their sources, cached answers, programs by title."""
