output "balancer_dns_name" {
  description = "The balancer's name: point the product's name at it."
  value       = module.alb.dns_name
}

output "autoscaling_group" {
  description = "The group of the API's instances."
  value       = module.asg.name
}

output "database_address" {
  description = "The primary's host."
  value       = module.rds.address
}

output "replica_addresses" {
  description = "The replicas' hosts."
  value       = module.rds.replica_addresses
}

output "cache_address" {
  description = "The configuration endpoint of the cache's cluster."
  value       = module.elasticache.cache_address
}

output "engine_urls" {
  description = "The value of MEILI_URLS."
  value       = module.engines.urls
}

output "engine_master_key" {
  description = "Makes the engines' keys; no process of the product gets it."
  value       = random_password.engine_master_key.result
  sensitive   = true
}

output "environment_secret_arns" {
  description = "The secrets with the variables of the API (api) and of the other processes (worker)."
  value       = { for role, secret in aws_secretsmanager_secret.environment : role => secret.arn }
}
