# Variables of alarms, budget and dashboard.

variable "alarms" {
  description = "Whether to create alarms; 10 per account are free, others cost $0.10 a month."
  type        = bool
  default     = true
  nullable    = false
}

variable "alarm_emails" {
  description = "Email addresses for alarms; each has to confirm the subscription first."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition = alltrue([
      for address in var.alarm_emails : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s.]+$", address))
    ])
    error_message = "alarm_emails should be email addresses: [\"somebody@example.org\"]."
  }

  validation {
    condition     = length(var.alarm_emails) == 0 || var.alarms
    error_message = "alarm_emails are set, but alarms = false: no email would ever be sent."
  }
}

variable "alarm_topic_arn" {
  description = "ARN of an existing SNS topic for alarms, in addition to alarm_emails; null: none."
  type        = string
  default     = null

  validation {
    condition = (
      var.alarm_topic_arn == null ? true
      : can(regex("^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[\\w-]{1,256}$", var.alarm_topic_arn))
    )
    error_message = <<-EOT
      alarm_topic_arn should be null or the ARN of a standard SNS topic:
      arn:aws:sns:eu-central-1:123456789012:alarms.
    EOT
  }
}

variable "oldest_message_seconds" {
  description = "Age of the oldest message in the queue above which there is an alarm."
  type        = number
  default     = 3600
  nullable    = false

  # A failed message is delivered again after six timeouts, so lower ages are normal.
  validation {
    condition = (
      floor(var.oldest_message_seconds) == var.oldest_message_seconds
      && var.oldest_message_seconds >= 6 * var.timeout_seconds
      && var.oldest_message_seconds <= 604800
    )
    error_message = <<-EOT
      oldest_message_seconds should be a whole number from ${6 *
  var.timeout_seconds} (six times timeout_seconds, after which a message is
      retried) to 604800 (seven days, for which the queue keeps it).
    EOT
}
}

variable "written_gb_per_hour" {
  description = "Gigabytes written per hour, by all invocations, above which there is an alarm."
  type        = number
  default     = 100
  nullable    = false

  validation {
    condition     = var.written_gb_per_hour > 0
    error_message = "written_gb_per_hour should be more than 0; alarms = false turns alarms off."
  }
}

variable "monthly_budget_usd" {
  description = <<-EOT
    Budget of the whole account in US dollars per month; notifications are sent at 80 %, and when it
    is forecast to be exceeded. null: no budget.
  EOT
  type        = number
  default     = null

  validation {
    condition     = var.monthly_budget_usd == null ? true : var.monthly_budget_usd > 0
    error_message = "monthly_budget_usd should be null or more than 0."
  }

  # The limits of AWS Budgets on subscribers.
  validation {
    condition = (
      var.monthly_budget_usd == null ? true
      : length(var.alarm_emails) <= 10
      && (length(var.alarm_emails) > 0 || var.alarm_topic_arn != null)
    )
    error_message = <<-EOT
      monthly_budget_usd is set, but it has no subscriber: set one to ten
      alarm_emails, or an alarm_topic_arn that budgets.amazonaws.com may publish
      to.
    EOT
  }
}

variable "dashboard" {
  description = "Whether to create a dashboard; 3 per account are free, others cost $3 a month."
  type        = bool
  default     = true
  nullable    = false
}
