"""How documents are made: templates, texts, numbers and dates of a language, addresses, static files."""
