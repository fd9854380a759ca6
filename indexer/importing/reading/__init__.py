"""Reads what documents hold: text in any encoding, XML, dates, durations, flags, names, records of files.

Nothing here fetches, knows a run or writes. The adapters in `importing.sources` call it.
"""
