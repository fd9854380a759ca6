# Valkey: a cluster for caches, limits and invalidations, and one server with a standby for the job queue, which keeps
# everything and evicts nothing.

resource "aws_security_group" "cache" {
  name_prefix = "${var.name}-cache-"
  description = "The product reaches Valkey"
  vpc_id      = var.vpc_id

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "clients" {
  security_group_id = aws_security_group.cache.id
  description       = "The network"
  cidr_ipv4         = var.client_cidr
  ip_protocol       = "tcp"
  from_port         = 6379
  to_port           = 6379
}

# What the processes may do: `thmanyah redis-acl cache queue --access-strings` writes access.json.
locals {
  access = jsondecode(file("${path.module}/access.json"))
  users = merge([
    for server, roles in local.access : {
      for role, rights in roles : "${server}-${role}" => { server = server, role = role, rights = rights }
    }
  ]...)
}

resource "aws_elasticache_user" "process" {
  for_each = local.users

  user_id       = "${var.name}-${each.key}"
  user_name     = each.value.role
  engine        = "valkey"
  access_string = each.value.rights

  authentication_mode {
    type      = "password"
    passwords = [var.passwords[each.value.role]]
  }
}

# Whoever names no user is this one.
resource "aws_elasticache_user" "default" {
  user_id       = "${var.name}-default"
  user_name     = "default"
  engine        = "valkey"
  access_string = "off resetkeys resetchannels -@all"

  authentication_mode {
    type      = "password"
    passwords = [var.passwords["default"]]
  }
}

resource "aws_elasticache_user_group" "main" {
  for_each = local.access

  user_group_id = "${var.name}-${each.key}"
  engine        = "valkey"
  user_ids = concat(
    [aws_elasticache_user.default.user_id],
    [for key, user in local.users : aws_elasticache_user.process[key].user_id if user.server == each.key],
  )
}

resource "aws_elasticache_subnet_group" "main" {
  name       = var.name
  subnet_ids = var.subnet_ids
}

resource "aws_elasticache_parameter_group" "cache" {
  name   = "${var.name}-cache"
  family = "valkey8"

  parameter {
    name  = "cluster-enabled"
    value = "yes"
  }

  parameter {
    name  = "maxmemory-policy"
    value = "allkeys-lfu"
  }
}

resource "aws_elasticache_parameter_group" "queue" {
  name   = "${var.name}-queue"
  family = "valkey8"

  parameter {
    name  = "maxmemory-policy"
    value = "noeviction"
  }
}

resource "aws_elasticache_replication_group" "cache" {
  replication_group_id       = "${var.name}-cache"
  description                = "Caches, limits, invalidations and counted views"
  engine                     = "valkey"
  engine_version             = "8.0"
  node_type                  = var.node_type
  num_node_groups            = var.shards
  replicas_per_node_group    = 1
  automatic_failover_enabled = true
  multi_az_enabled           = true
  parameter_group_name       = aws_elasticache_parameter_group.cache.name
  subnet_group_name          = aws_elasticache_subnet_group.main.name
  security_group_ids         = [aws_security_group.cache.id]
  transit_encryption_enabled = true
  at_rest_encryption_enabled = true
  user_group_ids             = [aws_elasticache_user_group.main["cache"].user_group_id]
}

resource "aws_elasticache_replication_group" "queue" {
  replication_group_id       = "${var.name}-queue"
  description                = "The job queue"
  engine                     = "valkey"
  engine_version             = "8.0"
  node_type                  = var.node_type
  num_cache_clusters         = 2
  automatic_failover_enabled = true
  multi_az_enabled           = true
  snapshot_retention_limit   = 7
  parameter_group_name       = aws_elasticache_parameter_group.queue.name
  subnet_group_name          = aws_elasticache_subnet_group.main.name
  security_group_ids         = [aws_security_group.cache.id]
  transit_encryption_enabled = true
  at_rest_encryption_enabled = true
  user_group_ids             = [aws_elasticache_user_group.main["queue"].user_group_id]
}
