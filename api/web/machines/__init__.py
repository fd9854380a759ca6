"""What programs read instead of pages: feeds, lists of feeds, sitemaps, linked data, descriptions of the site."""
