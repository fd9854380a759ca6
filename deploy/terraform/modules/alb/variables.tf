variable "name" {
  description = "The beginning of every name."
  type        = string
}

variable "vpc_id" {
  description = "The network."
  type        = string
}

variable "subnet_ids" {
  description = "Public subnets."
  type        = list(string)
}

variable "certificate_arn" {
  description = "The certificate, in ACM."
  type        = string
}

variable "deletion_protected" {
  description = "Whether the balancer refuses to be deleted."
  type        = bool
}

variable "access_log_bucket" {
  description = "The S3 bucket that gets the balancer's access log; null: nobody keeps one."
  type        = string
}
