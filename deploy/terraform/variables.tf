variable "region" {
  description = "The AWS region."
  type        = string
  default     = "me-south-1"
}

variable "zones" {
  description = "The letters of the availability zones; one that AWS adds later changes nothing."
  type        = list(string)
  default     = ["a", "b", "c"]
}

variable "environment" {
  description = "The value of the tag Environment."
  type        = string
  default     = "production"
}

variable "name" {
  description = "The beginning of every name."
  type        = string
  default     = "thmanyah"
}

variable "cidr" {
  description = "The network's addresses; its machines may speak to each other."
  type        = string
  default     = "10.42.0.0/16"
}

variable "certificate_arn" {
  description = "The certificate of the balancer, in ACM."
  type        = string
}

variable "container_image" {
  description = "The product's image, built from deploy/docker/Dockerfile, with its digest."
  type        = string
}

variable "api_image_id" {
  description = "The machine image of the API's instances: one with Docker, the AWS CLI and jq, such as the ECS-optimised one."
  type        = string
}

variable "api_instance_type" {
  description = "The machines of the API."
  type        = string
  default     = "c7g.large"
}

variable "engine_image_id" {
  description = "The machine image of the engines, with Docker."
  type        = string
}

variable "engine_instance_type" {
  description = "The machines of the engines: their index should fit into the memory."
  type        = string
  default     = "r7g.large"
}

variable "engines" {
  description = "Names of the engines. Each has all programs; listeners notice the loss of none."
  type        = list(string)
  default     = ["a", "b"]
}

variable "engine_disk_gib" {
  description = "The disk of an engine, in GiB."
  type        = number
  default     = 100
}

variable "engine_keys" {
  description = "MEILI_KEY and MEILI_SEARCH_KEY, made with the master key after the first apply."
  type        = map(string)
  default     = {}
  sensitive   = true
}

variable "database_instance_class" {
  description = "The class of PostgreSQL's servers."
  type        = string
  default     = "db.r7g.large"
}

variable "database_storage_gib" {
  description = "The storage of PostgreSQL, in GiB."
  type        = number
  default     = 100
}

variable "database_replicas" {
  description = "How many replicas PostgreSQL has for reads."
  type        = number
  default     = 1
}

variable "database_backup_days" {
  description = "For how many days PostgreSQL can be restored to any moment."
  type        = number
  default     = 14
}

variable "deletion_protected" {
  description = "Whether the balancer and the databases refuse to be deleted."
  type        = bool
  default     = true
}

variable "cache_node_type" {
  description = "The nodes of the cache's cluster."
  type        = string
  default     = "cache.r7g.large"
}

variable "cache_shards" {
  description = "Shards of the cache's cluster; each has a replica."
  type        = number
  default     = 3
}

variable "access_log_bucket" {
  description = "The S3 bucket, with the policy that AWS asks for, that gets the balancer's access log; null: nobody keeps one."
  type        = string
  default     = null
}

variable "pictures" {
  description = "Where uploaded pictures are kept: PICTURES_BUCKET_URL, PICTURES_BUCKET_REGION, PICTURES_BUCKET_KEY_ID and PICTURES_BUCKET_SECRET; empty: editors upload none."
  type        = map(string)
  default     = {}
  sensitive   = true
}
