# Instances of the API: 3 to 20, five at first, as many as keep their processors at 70 %.

resource "aws_security_group" "api" {
  name_prefix = "${var.name}-api-"
  description = "The balancer reaches the API"
  vpc_id      = var.vpc_id

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "balancer" {
  security_group_id            = aws_security_group.api.id
  description                  = "The balancer"
  referenced_security_group_id = var.balancer_group_id
  ip_protocol                  = "tcp"
  from_port                    = 8000
  to_port                      = 8000
}

resource "aws_vpc_security_group_egress_rule" "all" {
  security_group_id = aws_security_group.api.id
  description       = "PostgreSQL, Redis, engines, and feeds on the internet"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "-1"
}

data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "secret" {
  statement {
    actions   = ["secretsmanager:GetSecretValue"]
    resources = [var.secret_arn]
  }
}

resource "aws_iam_role" "api" {
  name_prefix        = "${var.name}-api-"
  assume_role_policy = data.aws_iam_policy_document.assume.json
}

resource "aws_iam_role_policy" "secret" {
  name   = "read-environment"
  role   = aws_iam_role.api.id
  policy = data.aws_iam_policy_document.secret.json
}

resource "aws_iam_role_policy_attachment" "images" {
  role       = aws_iam_role.api.name
  policy_arn = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly"
}

resource "aws_iam_instance_profile" "api" {
  name_prefix = "${var.name}-api-"
  role        = aws_iam_role.api.name
}

resource "aws_launch_template" "api" {
  name_prefix            = "${var.name}-api-"
  image_id               = var.image_id
  instance_type          = var.instance_type
  vpc_security_group_ids = [aws_security_group.api.id]
  user_data = base64encode(templatefile("${path.module}/start.sh.tftpl", {
    image      = var.container_image
    secret_arn = var.secret_arn
  }))

  iam_instance_profile {
    arn = aws_iam_instance_profile.api.arn
  }

  metadata_options {
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  monitoring {
    enabled = true
  }
}

resource "aws_autoscaling_group" "api" {
  name                      = "thmanyah-api-asg"
  min_size                  = 3
  max_size                  = 20
  desired_capacity          = 5
  vpc_zone_identifier       = var.subnet_ids
  target_group_arns         = [var.target_group_arn]
  health_check_type         = "ELB"
  health_check_grace_period = 90

  launch_template {
    id      = aws_launch_template.api.id
    version = "$Latest"
  }

  instance_refresh {
    strategy = "Rolling"
    preferences {
      min_healthy_percentage = 100
      max_healthy_percentage = 134
    }
  }

  tag {
    key                 = "Name"
    value               = "thmanyah-api"
    propagate_at_launch = true
  }

  lifecycle {
    # The policy below decides.
    ignore_changes = [desired_capacity]
  }
}

resource "aws_autoscaling_policy" "api_cpu" {
  name                   = "api-cpu-scaling"
  autoscaling_group_name = aws_autoscaling_group.api.name
  policy_type            = "TargetTrackingScaling"

  target_tracking_configuration {
    predefined_metric_specification {
      predefined_metric_type = "ASGAverageCPUUtilization"
    }
    target_value = 70.0
  }
}
