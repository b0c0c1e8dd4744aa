# Variables of the workflow.

variable "workflow_enabled" {
  description = "Whether to create the workflow, which processes images below workflow_prefix."
  type        = bool
  default     = false
  nullable    = false
}
