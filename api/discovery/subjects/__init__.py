"""What programs are listed by: `values` lists all values of a facet.

`api.discovery.further` has the routes.
"""
