"""What programs are filed under: categories, series, tags, people.

`editing` has the one way in which a row is created, changed and deleted; `categories`, `series` and `names`
(tags, people) say which fields they have. Callers: the editors' API, imports, the demo catalogue.
"""
