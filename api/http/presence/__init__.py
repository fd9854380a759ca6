"""Who has a page of staff open at this moment."""
