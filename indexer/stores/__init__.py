"""What lies in Redis: clients of its two roles, the queues (`queues`), and informing of changes (`invalidation`).

Nothing else opens a client. An address may name every kind of server:

| scheme | server |
|---|---|
| `redis://`, `rediss://`, `unix://` | one server |
| `redis+cluster://`, `rediss+cluster://` | a Redis Cluster, of which one or more nodes are named; for the cache alone |
| `redis+sentinel://`, `rediss+sentinel://` | the master of a service that the named Sentinels watch |

`rediss` is TLS. A user of an ACL and a password go before the host, and redis-py's options behind a question mark.
"""

from indexer.stores.addresses import CLUSTER, SENTINEL, SINGLE, Address, parse
from indexer.stores.advice import cache_advice, info, is_cluster, lost_slots, queue_advice
from indexer.stores.clients import REDIS_AWAY, close, open_async, open_sync, subscription

__all__ = [
    "CLUSTER",
    "REDIS_AWAY",
    "SENTINEL",
    "SINGLE",
    "Address",
    "cache_advice",
    "close",
    "info",
    "is_cluster",
    "lost_slots",
    "open_async",
    "open_sync",
    "parse",
    "queue_advice",
    "subscription",
]
