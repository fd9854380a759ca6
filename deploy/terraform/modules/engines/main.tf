# Engines: each has all programs and knows nothing of the others. A disk survives its machine; an engine that lost its
# disk is filled again by the sender.

data "aws_subnet" "of_engine" {
  count = length(var.engines)
  id    = var.subnet_ids[count.index % length(var.subnet_ids)]
}

resource "aws_security_group" "engine" {
  name_prefix = "${var.name}-engine-"
  description = "The product reaches the engines"
  vpc_id      = var.vpc_id

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "clients" {
  security_group_id = aws_security_group.engine.id
  description       = "The network"
  cidr_ipv4         = var.client_cidr
  ip_protocol       = "tcp"
  from_port         = 7700
  to_port           = 7700
}

resource "aws_vpc_security_group_egress_rule" "all" {
  security_group_id = aws_security_group.engine.id
  description       = "Images"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "-1"
}

resource "aws_ebs_volume" "index" {
  count             = length(var.engines)
  availability_zone = data.aws_subnet.of_engine[count.index].availability_zone
  size              = var.disk_gib
  type              = "gp3"
  encrypted         = true
  tags              = { Name = "${var.name}-engine-${var.engines[count.index]}" }
}

resource "aws_instance" "engine" {
  #checkov:skip=CKV2_AWS_41:An engine asks AWS for nothing, so it has no role.
  count                  = length(var.engines)
  ami                    = var.image_id
  instance_type          = var.instance_type
  subnet_id              = data.aws_subnet.of_engine[count.index].id
  vpc_security_group_ids = [aws_security_group.engine.id]
  ebs_optimized          = true
  monitoring             = true
  user_data              = templatefile("${path.module}/start.sh.tftpl", { master_key = var.master_key })
  tags                   = { Name = "${var.name}-engine-${var.engines[count.index]}" }

  root_block_device {
    encrypted = true
  }

  metadata_options {
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }
}

resource "aws_volume_attachment" "index" {
  count       = length(var.engines)
  device_name = "/dev/sdf"
  instance_id = aws_instance.engine[count.index].id
  volume_id   = aws_ebs_volume.index[count.index].id
}
