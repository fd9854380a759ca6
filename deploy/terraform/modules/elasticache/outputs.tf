output "urls" {
  description = "User -> REDIS_CACHE_URL (the cluster's configuration endpoint) and REDIS_QUEUE_URL (the queue's primary)."
  value = {
    for role in ["api", "worker"] : role => {
      REDIS_CACHE_URL = "rediss+cluster://${role}:${var.passwords[role]}@${aws_elasticache_replication_group.cache.configuration_endpoint_address}:6379"
      REDIS_QUEUE_URL = "rediss://${role}:${var.passwords[role]}@${aws_elasticache_replication_group.queue.primary_endpoint_address}:6379/0"
    }
  }
  sensitive = true
}

output "cache_address" {
  description = "The host of the cluster's configuration endpoint."
  value       = aws_elasticache_replication_group.cache.configuration_endpoint_address
}
