"""Pictures of programs: which pictures there may be, and where those are kept that people upload.

`recognising` reads the kind and the size of a picture. `storing` is the interface of stores: a folder (`folder`), or a bucket
of a server that speaks S3 (`bucket`); `opening` reads in the `settings` which one. The routes of `api/editorial/media/` call them.
"""
