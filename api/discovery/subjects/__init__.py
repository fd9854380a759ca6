"""What programs are listed by: `values` lists all values of a facet, `service` series, people and tags with their programs.

`api.discovery.listed` has the routes.
"""
