output "dns_name" {
  description = "The balancer's name."
  value       = aws_lb.api.dns_name
}

output "target_group_arn" {
  description = "Where instances of the API register."
  value       = aws_lb_target_group.api.arn
}

output "security_group_id" {
  description = "The balancer's group, which the instances admit."
  value       = aws_security_group.balancer.id
}
