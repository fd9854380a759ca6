"""Encoded answers: where they are kept, who is asked for them, and how they are sent.

`edge` gives what this process holds, before any routing. `cache` is the way to everything else: this process's
memory (`memory`), Redis and its leases (`shared`), one flight per key (`flights`), and what is known of changes
(`invalidations`, which `listener` keeps up to date). `answer` turns answers into bytes on the wire.
"""
