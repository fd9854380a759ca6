variable "name" {
  description = "The beginning of every name."
  type        = string
}

variable "cidr" {
  description = "The network's addresses."
  type        = string
}
