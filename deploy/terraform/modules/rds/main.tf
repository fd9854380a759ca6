# PostgreSQL: a primary with a standby in another zone, replicas for reads, and backups to any moment.

resource "random_password" "database" {
  length  = 40
  special = false
}

resource "aws_security_group" "database" {
  name_prefix = "${var.name}-database-"
  description = "The product reaches PostgreSQL"
  vpc_id      = var.vpc_id

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "clients" {
  security_group_id = aws_security_group.database.id
  description       = "The network"
  cidr_ipv4         = var.client_cidr
  ip_protocol       = "tcp"
  from_port         = 5432
  to_port           = 5432
}

resource "aws_db_subnet_group" "main" {
  name_prefix = "${var.name}-"
  subnet_ids  = var.subnet_ids
}

resource "aws_db_parameter_group" "main" {
  name_prefix = "${var.name}-"
  family      = "postgres18"

  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }

  # Statements are slow on purpose nowhere: what takes longer is worth a line.
  parameter {
    name  = "log_min_duration_statement"
    value = "500"
  }

  parameter {
    name         = "shared_preload_libraries"
    value        = "pg_stat_statements"
    apply_method = "pending-reboot"
  }

  lifecycle {
    create_before_destroy = true
  }
}

# The measurements of the machine itself, each minute.
data "aws_iam_policy_document" "monitoring" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["monitoring.rds.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "monitoring" {
  name_prefix        = "${var.name}-database-"
  assume_role_policy = data.aws_iam_policy_document.monitoring.json
}

resource "aws_iam_role_policy_attachment" "monitoring" {
  role       = aws_iam_role.monitoring.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"
}

resource "aws_db_instance" "primary" {
  identifier                      = "${var.name}-primary"
  engine                          = "postgres"
  engine_version                  = "18"
  instance_class                  = var.instance_class
  allocated_storage               = var.storage_gib
  max_allocated_storage           = var.storage_gib * 10
  storage_type                    = "gp3"
  storage_encrypted               = true
  db_name                         = "thmanyah"
  username                        = "thmanyah"
  password                        = random_password.database.result
  db_subnet_group_name            = aws_db_subnet_group.main.name
  parameter_group_name            = aws_db_parameter_group.main.name
  vpc_security_group_ids          = [aws_security_group.database.id]
  multi_az                        = true
  backup_retention_period         = var.backup_days
  copy_tags_to_snapshot           = true
  deletion_protection             = var.deletion_protected
  performance_insights_enabled    = true
  monitoring_interval             = 60
  monitoring_role_arn             = aws_iam_role.monitoring.arn
  enabled_cloudwatch_logs_exports = ["postgresql"]
  auto_minor_version_upgrade      = true
  final_snapshot_identifier       = "${var.name}-final"
}

resource "aws_db_instance" "replica" {
  #checkov:skip=CKV_AWS_157:Reads go to the primary while a replica is away.
  count                           = var.replicas
  identifier                      = "${var.name}-replica-${count.index + 1}"
  replicate_source_db             = aws_db_instance.primary.identifier
  instance_class                  = var.instance_class
  storage_encrypted               = true
  parameter_group_name            = aws_db_parameter_group.main.name
  vpc_security_group_ids          = [aws_security_group.database.id]
  copy_tags_to_snapshot           = true
  deletion_protection             = var.deletion_protected
  performance_insights_enabled    = true
  monitoring_interval             = 60
  monitoring_role_arn             = aws_iam_role.monitoring.arn
  enabled_cloudwatch_logs_exports = ["postgresql"]
  auto_minor_version_upgrade      = true
  skip_final_snapshot             = true
}
