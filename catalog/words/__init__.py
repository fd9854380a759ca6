"""Words as listeners type them: one spelling for documents and queries, and what a word may have been meant as.

`spelling` folds texts, `joined` takes off what Arabic writes joined to a word, `keys` compares words across the Arabic
and the Latin script, `layouts` undoes a wrong keyboard layout, `kinds` knows general words such as `podcast`, `lexicon`
holds the words of the catalogue. The tables are in `data/`. Nothing here knows a database, an engine or HTTP. Called by
the document builder, the ladder of searches (`api/discovery/searching/`) and the vocabulary (`catalog/vocabulary/`).
"""
