# Variables of the service as functions behind an HTTP API.

variable "service_api_enabled" {
  description = "Whether to create the service: an HTTP API, its functions, and what they need."
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition = !var.service_api_enabled || (
      var.service_enabled && var.service_image_digest != null && var.service_secret_arn != null
    )
    error_message = <<-EOT
      service_api_enabled is set, so service_enabled, service_image_digest and
      service_secret_arn have to be set too: the table of the rate limit, the
      image of the service, and its secret settings.
    EOT
  }
}

variable "service_image_digest" {
  description = "Digest of the service's image in the repository; null: there is none yet."
  type        = string
  default     = null

  validation {
    condition = (
      var.service_image_digest == null ? true
      : can(regex("^sha256:[0-9a-f]{64}$", var.service_image_digest))
    )
    error_message = <<-EOT
      service_image_digest should be null, or sha256: and 64 hexadecimal digits,
      as printed by `python3 -m tools.image.build --target service --push …`.
    EOT
  }
}

variable "service_secret_arn" {
  description = "ARN of a secret with the service's SECRET_KEY and DATABASE_URL, as a JSON object."
  type        = string
  default     = null

  validation {
    condition = (
      var.service_secret_arn == null ? true
      : can(regex("^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[\\w/+=.@-]+$", var.service_secret_arn))
    )
    error_message = <<-EOT
      service_secret_arn should be null or the ARN of a secret in Secrets
      Manager: arn:aws:secretsmanager:eu-central-1:123456789012:secret:name-AbCdEf.
    EOT
  }
}

variable "service_prefix" {
  description = "Folder of the bucket for the service's images, renditions and artifacts."
  type        = string
  default     = "service/"
  nullable    = false

  validation {
    condition = (
      can(regex("^([A-Za-z0-9][A-Za-z0-9_=.-]*/)+$", var.service_prefix))
      && length(var.service_prefix) <= 512
    )
    error_message = <<-EOT
      service_prefix should be a folder such as service/, or folders such as
      web/service/: up to 512 letters, digits and _=.- that begin with a letter
      or a digit, each followed by a slash.
    EOT
  }

  validation {
    condition = alltrue([
      for other in [var.input_prefix, var.output_prefix, var.workflow_prefix, var.batches_prefix] :
      !startswith(var.service_prefix, other) && !startswith(other, var.service_prefix)
    ])
    error_message = <<-EOT
      service_prefix = "${var.service_prefix}" overlaps with input_prefix,
      output_prefix, workflow_prefix or batches_prefix: they should be separate
      folders, none inside another.
    EOT
  }
}

variable "service_memory_mb" {
  description = "Memory of the service's functions; 1769 MB are one processor core."
  type        = number
  default     = 1769
  nullable    = false

  validation {
    condition = (
      floor(var.service_memory_mb) == var.service_memory_mb
      && var.service_memory_mb >= 1024 && var.service_memory_mb <= 10240
    )
    error_message = "service_memory_mb should be a whole number from 1024 to 10240."
  }
}

variable "service_workers" {
  description = "Invocations that do jobs at once, reserved from the account's concurrency."
  type        = number
  default     = 2
  nullable    = false

  validation {
    condition = (
      floor(var.service_workers) == var.service_workers
      && var.service_workers >= 1 && var.service_workers <= 1000
    )
    error_message = "service_workers should be a whole number from 1 to 1000."
  }
}

variable "service_requests_per_second" {
  description = "Requests a second that the HTTP API accepts from all clients; bursts may be twice that."
  type        = number
  default     = 50
  nullable    = false

  validation {
    condition = (
      floor(var.service_requests_per_second) == var.service_requests_per_second
      && var.service_requests_per_second >= 1 && var.service_requests_per_second <= 10000
    )
    error_message = "service_requests_per_second should be a whole number from 1 to 10000."
  }
}

variable "service_subnet_ids" {
  description = "Subnets from which the functions reach the database; empty: it is on the internet."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for id in var.service_subnet_ids : can(regex("^subnet-[0-9a-f]+$", id))])
    error_message = "service_subnet_ids should be ids of subnets such as subnet-0123456789abcdef0."
  }

  validation {
    condition     = (length(var.service_subnet_ids) == 0) == (length(var.service_security_group_ids) == 0)
    error_message = "service_subnet_ids and service_security_group_ids should both be given, or neither."
  }
}

variable "service_security_group_ids" {
  description = "Security groups of the functions in these subnets."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for id in var.service_security_group_ids : can(regex("^sg-[0-9a-f]+$", id))])
    error_message = "service_security_group_ids should be ids such as sg-0123456789abcdef0."
  }
}

variable "service_access_point_arn" {
  description = "ARN of an EFS access point for product images; null: the API has no routes for them."
  type        = string
  default     = null

  validation {
    condition = (
      var.service_access_point_arn == null ? true
      : can(regex("^arn:aws[a-z-]*:elasticfilesystem:[a-z0-9-]+:[0-9]{12}:access-point/fsap-[0-9a-f]+$", var.service_access_point_arn))
    )
    error_message = <<-EOT
      service_access_point_arn should be null or the ARN of an access point:
      arn:aws:elasticfilesystem:eu-central-1:123456789012:access-point/fsap-0123456789abcdef0.
    EOT
  }

  validation {
    condition     = var.service_access_point_arn == null || length(var.service_subnet_ids) > 0
    error_message = <<-EOT
      service_access_point_arn is set, but service_subnet_ids is empty: a file
      system can be reached only from subnets of its network.
    EOT
  }
}
