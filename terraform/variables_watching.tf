# Who is told, and when.

variable "alarms" {
  description = "Whether there are alarms; an account has 10 free, others are $0.10 a month."
  type        = bool
  default     = true
  nullable    = false
}

variable "alarm_emails" {
  description = "Addresses that alarms are sent to; each has to confirm a mail from AWS first."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition = alltrue([
      for address in var.alarm_emails : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s.]+$", address))
    ])
    error_message = "alarm_emails should be addresses such as [\"somebody@example.org\"]."
  }

  validation {
    condition     = length(var.alarm_emails) == 0 || var.alarms
    error_message = "alarm_emails are given, but alarms = false: nobody would ever be told."
  }
}

variable "alarm_topic_arn" {
  description = "Existing SNS topic that alarms are sent to, beside alarm_emails; null: none."
  type        = string
  default     = null

  validation {
    condition = (
      var.alarm_topic_arn == null ? true
      : can(regex("^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[\\w-]{1,256}$", var.alarm_topic_arn))
    )
    error_message = <<-EOT
      alarm_topic_arn should be null or the ARN of a standard topic:
      arn:aws:sns:eu-central-1:123456789012:alarms.
    EOT
  }
}

variable "oldest_message_seconds" {
  description = "Age of the oldest waiting message above which there is an alarm."
  type        = number
  default     = 3600
  nullable    = false

  # A message that fails comes back after six timeouts: younger ones are nothing to wake up for.
  validation {
    condition = (
      floor(var.oldest_message_seconds) == var.oldest_message_seconds
      && var.oldest_message_seconds >= 6 * var.timeout_seconds
      && var.oldest_message_seconds <= 345600
    )
    error_message = <<-EOT
      oldest_message_seconds should be a whole number from ${6 *
  var.timeout_seconds} (six times timeout_seconds, after which a message is
      tried again) to 345600 (four days, for which the queue keeps it).
    EOT
}
}

variable "dashboard" {
  description = "Whether there is a dashboard; an account has 3 free, others are $3 a month."
  type        = bool
  default     = true
  nullable    = false
}
