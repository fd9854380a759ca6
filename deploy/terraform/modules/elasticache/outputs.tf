output "cache_url" {
  description = "REDIS_CACHE_URL: the cluster's configuration endpoint."
  value       = "rediss+cluster://:${var.token}@${aws_elasticache_replication_group.cache.configuration_endpoint_address}:6379"
  sensitive   = true
}

output "queue_url" {
  description = "REDIS_QUEUE_URL: the queue's primary."
  value       = "rediss://:${var.token}@${aws_elasticache_replication_group.queue.primary_endpoint_address}:6379/0"
  sensitive   = true
}

output "cache_address" {
  description = "The host of the cluster's configuration endpoint."
  value       = aws_elasticache_replication_group.cache.configuration_endpoint_address
}
