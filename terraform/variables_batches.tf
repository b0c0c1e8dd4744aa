# Variables of batches: jobs whose statistics are published once all of their images are there.

variable "batches_enabled" {
  description = "Whether to create what batches need: functions, state machine, queue, schedule, topic."
  type        = bool
  default     = false
  nullable    = false
}

variable "batches_prefix" {
  description = "Folder of the bucket for jobs: batches/JOB/BATCH/IMAGE."
  type        = string
  default     = "batches/"
  nullable    = false

  validation {
    condition = (
      can(regex("^([A-Za-z0-9][A-Za-z0-9_=.-]*/)+$", var.batches_prefix))
      && length(var.batches_prefix) <= 512
    )
    error_message = <<-EOT
      batches_prefix should be a folder such as batches/, or folders such as
      scans/jobs/: up to 512 letters, digits and _=.- that begin with a letter
      or a digit, each followed by a slash.
    EOT
  }

  validation {
    condition = alltrue([
      for other in [var.input_prefix, var.output_prefix, var.workflow_prefix] :
      !startswith(var.batches_prefix, other) && !startswith(other, var.batches_prefix)
    ])
    error_message = <<-EOT
      batches_prefix = "${var.batches_prefix}" overlaps with input_prefix,
      output_prefix or workflow_prefix: they should be separate folders, none inside another.
    EOT
  }
}

variable "batches_per_job" {
  description = "Batches of a job; its job.json may say otherwise."
  type        = number
  default     = 5
  nullable    = false

  validation {
    condition = (
      floor(var.batches_per_job) == var.batches_per_job
      && var.batches_per_job >= 1 && var.batches_per_job <= 10000
    )
    error_message = "batches_per_job should be a whole number from 1 to 10000."
  }
}

variable "batches_images" {
  description = "Images of a batch; the job.json of a job may say otherwise."
  type        = number
  default     = 20
  nullable    = false

  validation {
    condition = (
      floor(var.batches_images) == var.batches_images
      && var.batches_images >= 1 && var.batches_images <= 1000000
    )
    error_message = "batches_images should be a whole number from 1 to 1000000."
  }
}

variable "batches_threshold" {
  description = "Largest grey value that counts as black: mid, otsu or a number; job.json may say otherwise."
  type        = string
  default     = "mid"
  nullable    = false

  validation {
    condition     = can(regex("^(mid|otsu|[0-9]{1,5})$", var.batches_threshold))
    error_message = "batches_threshold should be mid, otsu or a grey value such as 127."
  }
}

variable "batches_part" {
  description = "Images that one invocation counts."
  type        = number
  default     = 20
  nullable    = false

  validation {
    condition = (
      floor(var.batches_part) == var.batches_part
      && var.batches_part >= 1 && var.batches_part <= 200
    )
    error_message = "batches_part should be a whole number from 1 to 200."
  }
}

variable "batches_inline_images" {
  description = "Images of a job above which they are counted by a Distributed Map."
  type        = number
  default     = 2000
  nullable    = false

  # The execution history of an inline map holds 25,000 events, about eight of them for each part.
  validation {
    condition = (
      floor(var.batches_inline_images) == var.batches_inline_images
      && var.batches_inline_images >= 0
      && var.batches_inline_images <= 2000 * var.batches_part
    )
    error_message = <<-EOT
      batches_inline_images should be a whole number from 0 to ${2000 *
  var.batches_part}: at most 2000 parts of batches_part = ${var.batches_part}
      images, since the history of an execution is limited.
    EOT
}
}

variable "batches_waiting_hours" {
  description = "Hours for which a job may stay incomplete before there is an alarm."
  type        = number
  default     = 24
  nullable    = false

  validation {
    condition = (
      floor(var.batches_waiting_hours) == var.batches_waiting_hours
      && var.batches_waiting_hours >= 1 && var.batches_waiting_hours <= 8760
    )
    error_message = "batches_waiting_hours should be a whole number from 1 to 8760, a year."
  }
}

variable "batches_sweep_minutes" {
  description = "Minutes between two sweeps, which find what an event missed."
  type        = number
  default     = 15
  nullable    = false

  validation {
    condition = (
      floor(var.batches_sweep_minutes) == var.batches_sweep_minutes
      && var.batches_sweep_minutes >= 1 && var.batches_sweep_minutes <= 1440
    )
    error_message = "batches_sweep_minutes should be a whole number from 1 to 1440, a day."
  }
}

variable "batches_emails" {
  description = "Email addresses that are told of published jobs; each has to confirm first."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition = alltrue([
      for address in var.batches_emails : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s.]+$", address))
    ])
    error_message = "batches_emails should be email addresses: [\"somebody@example.org\"]."
  }

  validation {
    condition     = length(var.batches_emails) == 0 || var.batches_enabled
    error_message = "batches_emails are set, but batches_enabled = false: no email would ever be sent."
  }
}
