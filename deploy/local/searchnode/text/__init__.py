"""Texts cut into words and folded as charabia, the tokenizer of the real engine, does it."""
