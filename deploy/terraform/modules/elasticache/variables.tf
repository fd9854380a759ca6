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

variable "node_type" {
  description = "The nodes."
  type        = string
}

variable "shards" {
  description = "Shards of the cache's cluster; each has a replica."
  type        = number
}

variable "passwords" {
  description = "User -> password: api, worker, and default, which may nothing."
  type        = map(string)
  sensitive   = true
}
