variable "name" {
  description = "The beginning of names that the mission does not fix."
  type        = string
}

variable "vpc_id" {
  description = "The network."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets, one in each zone."
  type        = list(string)
}

variable "target_group_arn" {
  description = "Where the instances register."
  type        = string
}

variable "balancer_group_id" {
  description = "The balancer's security group."
  type        = string
}

variable "image_id" {
  description = "A machine image with Docker, the AWS CLI and jq."
  type        = string
}

variable "instance_type" {
  description = "The machines."
  type        = string
}

variable "container_image" {
  description = "The product's image."
  type        = string
}

variable "secret_arn" {
  description = "The secret with the processes' variables."
  type        = string
}
