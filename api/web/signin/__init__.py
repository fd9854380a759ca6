"""The sign-in of people at pages: the cookie of a browser, the tokens of forms, and what pages of staff have in common."""
