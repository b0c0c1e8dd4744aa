# Variables of the workflow.

variable "workflow_enabled" {
  description = "Whether to create the workflow, which processes images below workflow_prefix."
  type        = bool
  default     = false
  nullable    = false
}

variable "workflow_prefix" {
  description = "Folder of the bucket that images for the workflow are uploaded to."
  type        = string
  default     = "workflow/"
  nullable    = false

  validation {
    condition = (
      can(regex("^[^/\\s*?\\\\]+(/[^/\\s*?\\\\]+)*/$", var.workflow_prefix))
      && length(var.workflow_prefix) <= 512
    )
    error_message = <<-EOT
      workflow_prefix should be a folder such as workflow/ or scans/workflow/,
      without spaces, wildcards or a leading slash.
    EOT
  }

  validation {
    condition = !anytrue([
      for other in [var.input_prefix, var.output_prefix] :
      startswith(var.workflow_prefix, other) || startswith(other, var.workflow_prefix)
    ])
    error_message = <<-EOT
      workflow_prefix = ${var.workflow_prefix} overlaps with input_prefix or
      output_prefix: an upload would be processed twice, or a result taken for a
      source. Use separate folders.
    EOT
  }
}

variable "workflow_memory_mb" {
  description = "Memory of the functions that process and analyse; colour images need more than grey ones."
  type        = number
  default     = 3008
  nullable    = false

  validation {
    condition = (
      floor(var.workflow_memory_mb) == var.workflow_memory_mb
      && var.workflow_memory_mb >= 512 && var.workflow_memory_mb <= 10240
    )
    error_message = "workflow_memory_mb should be a whole number from 512 to 10240."
  }
}

variable "workflow_timeout_seconds" {
  description = "Maximum duration of one step of the workflow."
  type        = number
  default     = 120
  nullable    = false

  validation {
    condition = (
      floor(var.workflow_timeout_seconds) == var.workflow_timeout_seconds
      && var.workflow_timeout_seconds >= 30 && var.workflow_timeout_seconds <= 900
    )
    error_message = "workflow_timeout_seconds should be a whole number from 30 to 900."
  }

  # Requests to S3 are retried for up to 15 seconds before a step is returned.
  validation {
    condition     = var.reserve_ms / 1000 + 15 <= var.workflow_timeout_seconds
    error_message = <<-EOT
      workflow_timeout_seconds = ${var.workflow_timeout_seconds} leaves too
      little beside reserve_ms = ${var.reserve_ms}: at least 15 seconds should
      remain.
    EOT
  }
}

variable "workflow_reserved_concurrency" {
  description = <<-EOT
    Concurrency reserved for each function that processes or analyses, which limits costs; null: they
    share the account's.
  EOT
  type        = number
  default     = null

  validation {
    condition = (
      var.workflow_reserved_concurrency == null ? true
      : floor(var.workflow_reserved_concurrency) == var.workflow_reserved_concurrency
      && var.workflow_reserved_concurrency >= 2
    )
    error_message = <<-EOT
      workflow_reserved_concurrency should be null or a whole number of at
      least 2: original and combined image are analysed by the same function.
    EOT
  }
}

variable "workflow_emails" {
  description = "Email addresses told of each outcome; each has to confirm the subscription first."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition = alltrue([
      for address in var.workflow_emails : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s.]+$", address))
    ])
    error_message = "workflow_emails should be email addresses: [\"somebody@example.org\"]."
  }
}

variable "workflow_topic_arn" {
  description = "ARN of an existing SNS topic that is told of each outcome; null: none."
  type        = string
  default     = null

  validation {
    condition = (
      var.workflow_topic_arn == null ? true
      : can(regex("^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[\\w-]{1,256}$", var.workflow_topic_arn))
    )
    error_message = <<-EOT
      workflow_topic_arn should be null or the ARN of a standard SNS topic:
      arn:aws:sns:eu-central-1:123456789012:outcomes.
    EOT
  }

  validation {
    condition     = var.workflow_topic_arn == null || length(var.workflow_emails) == 0
    error_message = <<-EOT
      workflow_topic_arn and workflow_emails are both set, but outcomes go to one
      topic: subscribe the addresses to that topic instead.
    EOT
  }
}
