# Alarms. What to do when one goes off: docs/lambda.md.

locals {
  of_function = { FunctionName = var.name }

  # Missing data is not a fault: the function is not being called, or the queue is not being used.
  alarms = {
    dead-letters = {
      description = "Objects failed ${var.max_receive_count} times and are in the dead-letter queue"
      namespace   = "AWS/SQS"
      metric      = "ApproximateNumberOfMessagesVisible"
      dimensions  = { QueueName = aws_sqs_queue.dead_letters.name }
      statistic   = "Maximum"
      minutes     = 1
      above       = 0
    }
    failed-calls = {
      description = "Direct asynchronous calls failed for good and are in the failed-calls queue"
      namespace   = "AWS/SQS"
      metric      = "ApproximateNumberOfMessagesVisible"
      dimensions  = { QueueName = aws_sqs_queue.failed_calls.name }
      statistic   = "Maximum"
      minutes     = 1
      above       = 0
    }
    oldest-message = {
      description = "The queue is falling behind: too many objects for maximum_concurrency, or failures"
      namespace   = "AWS/SQS"
      metric      = "ApproximateAgeOfOldestMessage"
      dimensions  = { QueueName = aws_sqs_queue.work.name }
      statistic   = "Maximum"
      minutes     = 5
      above       = var.oldest_message_seconds
    }
    errors = {
      description = "Invocations fail: out of memory or time, a failed start, or a bug"
      namespace   = "AWS/Lambda"
      metric      = "Errors"
      dimensions  = local.of_function
      statistic   = "Sum"
      minutes     = 5
      above       = 0
    }
    throttles = {
      description = "Lambda throttles invocations: the account's concurrency is used up"
      namespace   = "AWS/Lambda"
      metric      = "Throttles"
      dimensions  = local.of_function
      statistic   = "Sum"
      minutes     = 5
      above       = 0
    }
    failed = {
      description = "More than ten objects were returned to the queue in five minutes"
      namespace   = var.metrics_namespace
      metric      = "Failed"
      dimensions  = local.of_function
      statistic   = "Sum"
      minutes     = 5
      above       = 10
    }
    bytes-written = {
      description = "More than written_gb_per_hour was written in an hour, which adds to the storage costs"
      namespace   = var.metrics_namespace
      metric      = "BytesWritten"
      dimensions  = local.of_function
      statistic   = "Sum"
      minutes     = 60
      above       = 1000000000 * var.written_gb_per_hour
    }
  }

  alarm_arns = "arn:${local.partition}:cloudwatch:${local.region}:${local.account}"

  alarm_targets = concat(aws_sns_topic.alarms[*].arn, var.alarm_topic_arn[*])
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = {
    for name, alarm in merge(local.alarms, local.workflow_alarms) : name => alarm if var.alarms
  }

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "${each.value.description}."
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  period              = 60 * each.value.minutes
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.above
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.alarm_targets
  ok_actions          = local.alarm_targets
  tags                = local.tags
}

resource "aws_sns_topic" "alarms" {
  #checkov:skip=CKV_AWS_26:CloudWatch cannot publish with the AWS-managed SNS key; alarms hold names and numbers
  count = length(var.alarm_emails) == 0 ? 0 : 1

  name = "${var.name}-alarms"
  tags = local.tags
}

resource "aws_sns_topic_policy" "alarms" {
  count = length(aws_sns_topic.alarms)

  arn = aws_sns_topic.alarms[count.index].arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OnlyAlarmsOfThisAccountPublish"
      Effect    = "Allow"
      Principal = { Service = "cloudwatch.amazonaws.com" }
      Action    = "sns:Publish"
      Resource  = aws_sns_topic.alarms[count.index].arn
      Condition = {
        ArnLike      = { "aws:SourceArn" = "${local.alarm_arns}:alarm:${var.name}-*" }
        StringEquals = { "aws:SourceAccount" = local.account }
      }
    }]
  })
}

resource "aws_sns_topic_subscription" "alarms" {
  for_each = var.alarm_emails

  topic_arn = aws_sns_topic.alarms[0].arn
  protocol  = "email"
  endpoint  = each.value
}

# For the whole account: a budget by tag would count nothing until the tag is activated as a cost
# allocation tag.
resource "aws_budgets_budget" "account" {
  count = var.monthly_budget_usd == null ? 0 : 1

  name         = local.name_in_region
  budget_type  = "COST"
  time_unit    = "MONTHLY"
  limit_unit   = "USD"
  limit_amount = format("%.2f", var.monthly_budget_usd)
  tags         = local.tags

  dynamic "notification" {
    for_each = { ACTUAL = 80, FORECASTED = 100 }

    content {
      notification_type          = notification.key
      threshold                  = notification.value
      threshold_type             = "PERCENTAGE"
      comparison_operator        = "GREATER_THAN"
      subscriber_email_addresses = var.alarm_emails
      subscriber_sns_topic_arns  = var.alarm_topic_arn[*]
    }
  }
}
