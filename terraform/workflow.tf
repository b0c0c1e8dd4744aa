# The workflow: EventBridge → Step Functions → functions of the same image, one for each step.

locals {
  workflow_writers = []
}
