locals {
  credentials = "thmanyah:${random_password.database.result}"
}

output "url" {
  description = "DATABASE_URL: the primary."
  value       = "postgresql+psycopg://${local.credentials}@${aws_db_instance.primary.endpoint}/thmanyah?sslmode=require"
  sensitive   = true
}

output "replica_url" {
  description = "DATABASE_REPLICA_URL: the first replica; the primary without one."
  value = (
    var.replicas == 0
    ? "postgresql+psycopg://${local.credentials}@${aws_db_instance.primary.endpoint}/thmanyah?sslmode=require"
    : "postgresql+psycopg://${local.credentials}@${aws_db_instance.replica[0].endpoint}/thmanyah?sslmode=require"
  )
  sensitive = true
}

output "address" {
  description = "The primary's host."
  value       = aws_db_instance.primary.address
}

output "replica_addresses" {
  description = "The replicas' hosts."
  value       = aws_db_instance.replica[*].address
}
