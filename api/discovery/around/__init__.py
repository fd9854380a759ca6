"""Ways on for listeners: what is related to a program and why, what is trending, a program by chance, popular searches.

`api.discovery.further` has the routes. Each service returns an encoded answer with the ids of the programs it shows; a
program by chance is never cached.
"""
