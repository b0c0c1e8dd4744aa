# Variables of the function.

variable "image_digest" {
  description = <<-EOT
    Digest of the container image in the repository, sha256:…; null: no function yet, so that the
    repository can be created before there is an image. `make deploy` sets it.
  EOT
  type        = string
  default     = null

  validation {
    condition = (
      var.image_digest == null ? true : can(regex("^sha256:[0-9a-f]{64}$", var.image_digest))
    )
    error_message = <<-EOT
      image_digest should be null or sha256: and 64 hexadecimal digits, not a
      tag or a whole URI; aws ecr describe-images --repository-name NAME prints
      it.
    EOT
  }
}

variable "architecture" {
  description = "Architecture of the function's processor and image."
  type        = string
  default     = "x86_64"
  nullable    = false

  validation {
    condition     = contains(["x86_64", "arm64"], var.architecture)
    error_message = "architecture should be x86_64 or arm64."
  }
}

variable "memory_mb" {
  description = "Memory of the function; processor time grows with it, one vCPU at 1769 MB."
  type        = number
  default     = 1769
  nullable    = false

  validation {
    condition = (
      floor(var.memory_mb) == var.memory_mb && var.memory_mb >= 128 && var.memory_mb <= 10240
    )
    error_message = "memory_mb should be a whole number from 128 to 10240."
  }

  validation {
    condition     = var.memory_mb >= local.memory_needed_mb
    error_message = <<-EOT
      memory_mb = ${var.memory_mb} is not enough for max_pixels =
      ${var.max_pixels}: a grey image of that many pixels takes
      ${local.memory_needed_mb} MB, so it would always be rejected. Increase
      memory_mb (up to 10240), or lower max_pixels.
    EOT
  }
}

variable "timeout_seconds" {
  description = "Maximum duration of one invocation, which processes a whole batch."
  type        = number
  default     = 60
  nullable    = false

  validation {
    condition = (
      floor(var.timeout_seconds) == var.timeout_seconds
      && var.timeout_seconds >= 30 && var.timeout_seconds <= 900
    )
    error_message = "timeout_seconds should be a whole number from 30 to 900."
  }
}

variable "reserved_concurrency" {
  description = "Concurrency reserved for the function; null: it shares the account's."
  type        = number
  default     = null

  validation {
    condition = (
      var.reserved_concurrency == null ? true
      : floor(var.reserved_concurrency) == var.reserved_concurrency && var.reserved_concurrency >= 2
    )
    error_message = "reserved_concurrency should be null or a whole number of at least 2."
  }

  validation {
    condition = (
      var.reserved_concurrency == null ? true
      : var.reserved_concurrency >= var.maximum_concurrency
    )
    error_message = <<-EOT
      reserved_concurrency should be at least maximum_concurrency =
      ${var.maximum_concurrency}: otherwise the queue makes more calls than the
      function may run, and a throttled call counts as a failed attempt.
    EOT
  }
}

variable "permissions_boundary" {
  description = "ARN of an IAM policy that is the permissions boundary of the role; null: none."
  type        = string
  default     = null

  validation {
    condition = (
      var.permissions_boundary == null ? true
      : can(regex("^arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/[\\w+=,.@/-]+$", var.permissions_boundary))
    )
    error_message = <<-EOT
      permissions_boundary should be null or the ARN of a policy:
      arn:aws:iam::123456789012:policy/boundary.
    EOT
  }
}

variable "log_retention_days" {
  description = "Days for which CloudWatch keeps the log."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition = contains([
      1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
      3288, 3653
    ], var.log_retention_days)
    error_message = <<-EOT
      log_retention_days should be one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150,
      180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653:
      CloudWatch allows no others.
    EOT
  }
}
