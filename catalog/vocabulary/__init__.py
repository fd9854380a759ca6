"""The vocabulary: the words of programs' titles, series, people and tags, each with how many have it.

Programs that listeners see are counted apart from the others. `near` reads the words that an editor's query may mean.

Kept in PostgreSQL: the triggers that mark programs for the search indexes also write `vocabulary_marks`, and `rollup`
works these off (the clock of the scheduler calls it). `queries` reads the words for the API, which keeps them in memory
as a `catalog.words.lexicon.Lexicon`.
"""
