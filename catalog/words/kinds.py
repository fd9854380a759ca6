"""General words that listeners put before or behind a title, and the kind of program that each asks for."""

from importlib.resources import files

from catalog.words.spelling import spell


def _words() -> dict[str, str]:
    lines = (files("catalog.words") / "data" / "kinds.tsv").read_text(encoding="utf-8").splitlines()
    rows = (line.split("\t") for line in lines if not line.startswith("# "))
    return {spell(word): kind for kind, words in rows for word in words.split()}


# A general word -> the kind of programs, or "" where it says nothing about it.
GENERAL = _words()
