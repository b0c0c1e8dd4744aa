# Variables of backfills.

variable "backfill_enabled" {
  description = <<-EOT
    Whether to create what `fft-tool backfill` uses: a state machine, a function for scans, and a
    role for S3 Batch Operations. None of them costs anything while it does not run.
  EOT
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition = !var.backfill_enabled || !anytrue([
      for prefix in [var.input_prefix, var.output_prefix] :
      startswith("backfill/", prefix) || startswith(prefix, "backfill/")
    ])
    error_message = <<-EOT
      backfill_enabled needs the folder backfill/ of the bucket for itself:
      neither input_prefix nor output_prefix may contain it or lie in it.
    EOT
  }
}

variable "backfill_scan_timeout_seconds" {
  description = "Maximum duration of an invocation that scans a batch of images."
  type        = number
  default     = 300
  nullable    = false

  validation {
    condition = (
      floor(var.backfill_scan_timeout_seconds) == var.backfill_scan_timeout_seconds
      && var.backfill_scan_timeout_seconds >= 60 && var.backfill_scan_timeout_seconds <= 900
    )
    error_message = "backfill_scan_timeout_seconds should be a whole number from 60 to 900."
  }
}
