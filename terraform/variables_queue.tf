# Variables of the queue.

variable "batch_size" {
  description = "Maximum number of objects per invocation."
  type        = number
  default     = 5
  nullable    = false

  validation {
    condition     = contains(range(1, 11), var.batch_size)
    error_message = "batch_size should be a whole number from 1 to 10."
  }
}

variable "maximum_concurrency" {
  description = "Maximum number of concurrent invocations from the queue, which limits costs."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition = (
      floor(var.maximum_concurrency) == var.maximum_concurrency
      && var.maximum_concurrency >= 2 && var.maximum_concurrency <= 1000
    )
    error_message = "maximum_concurrency should be a whole number from 2 to 1000."
  }
}

variable "max_receive_count" {
  description = "Attempts after which a message becomes a dead letter."
  type        = number
  default     = 5
  nullable    = false

  validation {
    condition     = contains(range(2, 101), var.max_receive_count)
    error_message = <<-EOT
      max_receive_count should be a whole number from 2 to 100: with 1,
      nothing would be retried.
    EOT
  }
}
