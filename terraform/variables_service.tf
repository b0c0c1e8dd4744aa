# Variables of the HTTP service.

variable "service_enabled" {
  description = "Whether to create what the HTTP service needs: the table of its rate limit."
  type        = bool
  default     = false
  nullable    = false
}

variable "service_deletion_protection" {
  description = "Whether the table of the rate limit refuses to be deleted."
  type        = bool
  default     = true
  nullable    = false
}
