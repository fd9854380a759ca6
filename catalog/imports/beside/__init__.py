"""What belongs to a program and has no field of it: its chapters and transcripts, as its source names them.

`chapters.py` says which files of chapters are to be fetched and stores what they say. `shown.py` is what listeners see.
"""
