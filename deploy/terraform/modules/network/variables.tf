variable "name" {
  description = "The beginning of every name."
  type        = string
}

variable "cidr" {
  description = "The network's addresses."
  type        = string
}

variable "zones" {
  description = "The availability zones, by name: a change moves subnets."
  type        = list(string)
}
