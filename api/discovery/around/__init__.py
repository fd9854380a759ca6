"""Ways on from a program, or from nothing: what is related to it, and why.

`api.discovery.further` has the routes. Each service returns an encoded answer with the ids of the programs it shows.
"""
