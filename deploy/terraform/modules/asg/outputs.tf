output "name" {
  description = "The group's name."
  value       = aws_autoscaling_group.api.name
}

output "security_group_id" {
  description = "The group of the API's instances."
  value       = aws_security_group.api.id
}
