# Thmanyah Discovery on AWS: three zones, instances of the API behind a balancer, PostgreSQL with a replica, a Redis
# cluster for caches, an append-only server for the queue, and engines. README.md says what it makes and what it leaves
# to you.

resource "random_password" "engine_master_key" {
  length  = 40
  special = false
}

resource "random_password" "secret_key" {
  length  = 64
  special = false
}

resource "random_password" "redis" {
  for_each = toset(["api", "worker", "default"])

  length  = 40
  special = false
}

module "network" {
  source = "./modules/network"

  name  = var.name
  cidr  = var.cidr
  zones = [for letter in var.zones : "${var.region}${letter}"]
}

module "alb" {
  source = "./modules/alb"

  name               = var.name
  vpc_id             = module.network.vpc_id
  subnet_ids         = module.network.public_subnet_ids
  certificate_arn    = var.certificate_arn
  deletion_protected = var.deletion_protected
  access_log_bucket  = var.access_log_bucket
}

module "rds" {
  source = "./modules/rds"

  name               = var.name
  vpc_id             = module.network.vpc_id
  subnet_ids         = module.network.private_subnet_ids
  client_cidr        = var.cidr
  instance_class     = var.database_instance_class
  storage_gib        = var.database_storage_gib
  replicas           = var.database_replicas
  backup_days        = var.database_backup_days
  deletion_protected = var.deletion_protected
}

module "elasticache" {
  source = "./modules/elasticache"

  name        = var.name
  vpc_id      = module.network.vpc_id
  subnet_ids  = module.network.private_subnet_ids
  client_cidr = var.cidr
  node_type   = var.cache_node_type
  shards      = var.cache_shards
  passwords   = { for user, password in random_password.redis : user => password.result }
}

module "engines" {
  source = "./modules/engines"

  name          = var.name
  vpc_id        = module.network.vpc_id
  subnet_ids    = module.network.private_subnet_ids
  client_cidr   = var.cidr
  image_id      = var.engine_image_id
  instance_type = var.engine_instance_type
  engines       = var.engines
  disk_gib      = var.engine_disk_gib
  master_key    = random_password.engine_master_key.result
}

locals {
  # What every process of the product is told; the addresses of Redis name the user that it is there. MEILI_KEY and MEILI_SEARCH_KEY are keys of their own: make them with the
  # engines' master key (docs/deployment.md) and put them into the secret.
  environment = {
    THMANYAH_ENV         = "production"
    LOG_FORMAT           = "json"
    API_HOST             = "0.0.0.0"
    API_WORKERS          = "auto"
    TRUSTED_PROXIES      = var.cidr
    DATABASE_POOL_MIN    = "2"
    DATABASE_POOL_MAX    = "10"
    DATABASE_URL         = module.rds.url
    DATABASE_DIRECT_URL  = module.rds.url
    DATABASE_REPLICA_URL = module.rds.replica_url
    MEILI_URLS           = module.engines.urls
    THMANYAH_SECRET_KEY  = random_password.secret_key.result
  }
}

# The processes' variables, addresses with passwords included, for the API and for the other processes. Instances read
# the API's when they start.
resource "aws_secretsmanager_secret" "environment" {
  #checkov:skip=CKV2_AWS_57:Passwords change with an apply, which writes both sides of them.
  for_each = toset(["api", "worker"])

  name = "${var.name}-environment-${each.key}"
}

resource "aws_secretsmanager_secret_version" "environment" {
  for_each = aws_secretsmanager_secret.environment

  secret_id     = each.value.id
  secret_string = jsonencode(merge(local.environment, module.elasticache.urls[each.key], var.engine_keys, each.key == "api" ? var.pictures : {}))
}

module "asg" {
  source = "./modules/asg"

  name              = var.name
  vpc_id            = module.network.vpc_id
  subnet_ids        = module.network.private_subnet_ids
  target_group_arn  = module.alb.target_group_arn
  balancer_group_id = module.alb.security_group_id
  image_id          = var.api_image_id
  instance_type     = var.api_instance_type
  container_image   = var.container_image
  secret_arn        = aws_secretsmanager_secret.environment["api"].arn
}
