"""Review: which step leads from which state to which, and changes that wait beside the live version.

`states` the tables of transitions, for programs and for pending revisions · `models` the tables · `rights` what the
sender of a change may do alone · `pending` the life of a pending revision · `previews` what publishing one would make ·
`comments` what people say about a program · `queries` reading.
"""
