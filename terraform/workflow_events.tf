# What starts the workflow, and who is told of it: EventBridge, topic, alarms.

resource "aws_cloudwatch_event_rule" "workflow" {
  count = local.workflow_runs

  name        = local.workflow_name
  description = "Uploads below ${var.workflow_prefix}"

  event_pattern = jsonencode({
    source      = ["aws.s3"]
    detail-type = ["Object Created"]
    detail = {
      bucket = { name = [aws_s3_bucket.images.id] }
      object = { key = [{ prefix = var.workflow_prefix }] }
    }
  })

  tags = local.tags
}

resource "aws_cloudwatch_event_target" "workflow" {
  count = local.workflow_runs

  rule     = aws_cloudwatch_event_rule.workflow[count.index].name
  arn      = aws_sfn_state_machine.workflow[count.index].arn
  role_arn = aws_iam_role.workflow_starts[count.index].arn

  # The default of EventBridge, written out: what fails for a day is a dead letter.
  retry_policy {
    maximum_event_age_in_seconds = 24 * 3600
    maximum_retry_attempts       = 185
  }

  dead_letter_config {
    arn = aws_sqs_queue.workflow_starts[count.index].arn
  }
}

resource "aws_iam_role" "workflow_starts" {
  count = local.workflow_runs

  name        = "${local.name_in_region}-workflow-starts"
  description = "Lets EventBridge start the state machine ${local.workflow_name}"

  permissions_boundary = var.permissions_boundary

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })

  tags = local.tags
}

resource "aws_iam_role_policy" "workflow_starts" {
  count = local.workflow_runs

  name = "start"
  role = aws_iam_role.workflow_starts[count.index].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "StartTheWorkflow"
      Effect   = "Allow"
      Action   = ["states:StartExecution"]
      Resource = [aws_sfn_state_machine.workflow[count.index].arn]
    }]
  })
}

# Events whose execution could not be started.
resource "aws_sqs_queue" "workflow_starts" {
  count = local.workflow_runs

  name                      = "${local.workflow_name}-failed-starts"
  sqs_managed_sse_enabled   = true
  message_retention_seconds = local.fourteen_days
  tags                      = local.tags
}

resource "aws_sqs_queue_policy" "workflow_starts" {
  count = local.workflow_runs

  queue_url = aws_sqs_queue.workflow_starts[count.index].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "OnlyThisRuleSends"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = aws_sqs_queue.workflow_starts[count.index].arn
        Condition = {
          ArnEquals    = { "aws:SourceArn" = aws_cloudwatch_event_rule.workflow[count.index].arn }
          StringEquals = { "aws:SourceAccount" = local.account }
        }
      },
      {
        Sid       = "OnlyOverTls"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sqs:*"
        Resource  = aws_sqs_queue.workflow_starts[count.index].arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

# Outcomes, for workflow_emails.
resource "aws_sns_topic" "workflow" {
  count = var.workflow_enabled && length(var.workflow_emails) > 0 ? 1 : 0

  name              = local.workflow_name
  kms_master_key_id = "alias/aws/sns"
  tags              = local.tags
}

resource "aws_sns_topic_subscription" "workflow" {
  for_each = var.workflow_enabled ? var.workflow_emails : []

  topic_arn = aws_sns_topic.workflow[0].arn
  protocol  = "email"
  endpoint  = each.value
}

locals {
  # In addition to those of alarms.tf.
  workflow_alarms = { for name, alarm in {
    workflow-failed = {
      description = "Executions of the workflow failed: their last state says why, and they can be redriven"
      namespace   = "AWS/States"
      metric      = "ExecutionsFailed"
      dimensions  = { StateMachineArn = join("", aws_sfn_state_machine.workflow[*].arn) }
      statistic   = "Sum"
      minutes     = 5
      above       = 0
    }
    workflow-timed-out = {
      description = "Executions of the workflow were ended after a day"
      namespace   = "AWS/States"
      metric      = "ExecutionsTimedOut"
      dimensions  = { StateMachineArn = join("", aws_sfn_state_machine.workflow[*].arn) }
      statistic   = "Sum"
      minutes     = 5
      above       = 0
    }
    workflow-failed-starts = {
      description = "Uploads whose workflow could not be started are in the failed-starts queue"
      namespace   = "AWS/SQS"
      metric      = "ApproximateNumberOfMessagesVisible"
      dimensions  = { QueueName = join("", aws_sqs_queue.workflow_starts[*].name) }
      statistic   = "Maximum"
      minutes     = 1
      above       = 0
    }
  } : name => alarm if local.workflow_runs == 1 }
}
