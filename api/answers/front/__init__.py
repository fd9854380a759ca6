"""What the edge is made of: requests of both interfaces as it reads them, spellings of addresses, refusals, and the bridge.

`asked` reads a request, `addresses` finds one spelling of an address, `known` remembers what addresses are answered with,
`told` has answers without a route. `bridge` gives the framework, which speaks ASGI, the requests of a server that speaks RSGI;
`pacing` keeps a stream from running ahead of its reader there.
"""
