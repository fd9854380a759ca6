"""Which changes of programs can touch which cached pages.

A room that makes a page says what it depends on (`depends`). A process keeps the latest changes that it has heard of (`log`),
and the words that they have (`vocabulary`). A page is compared with the changes since its generation when somebody asks for
it, with each of them once.
"""
