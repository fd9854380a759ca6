"""What a change of a program says to caches: enough to tell which pages it can touch.

`lemmas` cuts texts into words as engines do, `described` is what is sent. The sender sends it
(`indexer/sender/sending/describing.py`), the API's caches compare it with what a page depends on (`api/answers/following/`).
"""
