variable "name" {
  description = "The beginning of every name."
  type        = string
}

variable "vpc_id" {
  description = "The network."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets."
  type        = list(string)
}

variable "client_cidr" {
  description = "Addresses that may connect."
  type        = string
}

variable "instance_class" {
  description = "The class of the servers."
  type        = string
}

variable "storage_gib" {
  description = "The storage at first, in GiB; it grows to ten times that."
  type        = number
}

variable "replicas" {
  description = "How many replicas there are for reads."
  type        = number
}

variable "backup_days" {
  description = "For how many days any moment can be restored."
  type        = number
}

variable "deletion_protected" {
  description = "Whether the database refuses to be deleted."
  type        = bool
}
