variable "name" {
  description = "The beginning of every name."
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

variable "client_cidr" {
  description = "Addresses that may connect."
  type        = string
}

variable "image_id" {
  description = "A machine image with Docker."
  type        = string
}

variable "instance_type" {
  description = "The machines."
  type        = string
}

variable "engines" {
  description = "Names of the engines, which MEILI_URLS repeats."
  type        = list(string)
}

variable "disk_gib" {
  description = "The disk of an engine, in GiB."
  type        = number
}

variable "master_key" {
  description = "The engines' master key, the same for all: their keys then are, too."
  type        = string
  sensitive   = true
}
