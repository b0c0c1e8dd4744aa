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

variable "written_gb_per_hour" {
  description = "Gigabytes written in an hour, by all invocations, above which there is an alarm."
  type        = number
  default     = 100
  nullable    = false

  validation {
    condition     = var.written_gb_per_hour > 0
    error_message = "written_gb_per_hour should be more than 0; alarms = false is for no alarm."
  }
}

variable "monthly_budget_usd" {
  description = <<-EOT
    US dollars that the whole account may cost in a month; who is told is told at 80 % of them, and
    when they are going to be exceeded. null: no budget.
  EOT
  type        = number
  default     = null

  validation {
    condition     = var.monthly_budget_usd == null ? true : var.monthly_budget_usd > 0
    error_message = "monthly_budget_usd should be null or more than 0."
  }

  # What AWS Budgets takes as well.
  validation {
    condition = (
      var.monthly_budget_usd == null ? true
      : length(var.alarm_emails) <= 10
      && (length(var.alarm_emails) > 0 || var.alarm_topic_arn != null)
    )
    error_message = <<-EOT
      monthly_budget_usd is given, but nobody would be told: give one to ten
      alarm_emails, or an alarm_topic_arn that budgets.amazonaws.com may publish
      to.
    EOT
  }
}

variable "dashboard" {
  description = "Whether there is a dashboard; an account has 3 free, others are $3 a month."
  type        = bool
  default     = true
  nullable    = false
}
