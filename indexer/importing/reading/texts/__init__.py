"""Characters and words of text before it is markup or plain text.

`references` repairs references and characters · `html_words` tells tags from words in angle brackets.
"""
