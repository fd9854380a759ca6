"""Which PostgreSQL server answers a read: how far each replica is behind the primary, and the choice among them."""
