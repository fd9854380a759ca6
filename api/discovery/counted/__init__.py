"""What listeners do, counted in the process and then in Redis: views, searches, clicks and plays from results."""
