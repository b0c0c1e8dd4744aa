# When somebody should look. docs/lambda.md says what to do then.

locals {
  of_function = { FunctionName = var.name }

  # Missing data is no news: a function that is not called, a queue that is not used, is well.
  alarms = {
    dead-letters = {
      description = "Objects wait that were not done in ${var.max_receive_count} attempts"
      namespace   = "AWS/SQS"
      metric      = "ApproximateNumberOfMessagesVisible"
      dimensions  = { QueueName = aws_sqs_queue.dead_letters.name }
      statistic   = "Maximum"
      minutes     = 1
      above       = 0
    }
    failed-calls = {
      description = "Calls past the queue wait that Lambda has given up"
      namespace   = "AWS/SQS"
      metric      = "ApproximateNumberOfMessagesVisible"
      dimensions  = { QueueName = aws_sqs_queue.failed_calls.name }
      statistic   = "Maximum"
      minutes     = 1
      above       = 0
    }
    oldest-message = {
      description = "Objects wait for long: too many for maximum_concurrency, or failing"
      namespace   = "AWS/SQS"
      metric      = "ApproximateAgeOfOldestMessage"
      dimensions  = { QueueName = aws_sqs_queue.work.name }
      statistic   = "Maximum"
      minutes     = 5
      above       = var.oldest_message_seconds
    }
    errors = {
      description = "Invocations end in an error: no memory or time left, no start, a bug"
      namespace   = "AWS/Lambda"
      metric      = "Errors"
      dimensions  = local.of_function
      statistic   = "Sum"
      minutes     = 5
      above       = 0
    }
    throttles = {
      description = "Lambda refuses invocations: the account's concurrency is used up"
      namespace   = "AWS/Lambda"
      metric      = "Throttles"
      dimensions  = local.of_function
      statistic   = "Sum"
      minutes     = 5
      above       = 0
    }
    failed = {
      description = "More than ten objects in five minutes are handed back to the queue"
      namespace   = var.metrics_namespace
      metric      = "Failed"
      dimensions  = local.of_function
      statistic   = "Sum"
      minutes     = 5
      above       = 10
    }
    bytes-written = {
      description = "More is written in an hour than written_gb_per_hour, and paid for each month"
      namespace   = var.metrics_namespace
      metric      = "BytesWritten"
      dimensions  = local.of_function
      statistic   = "Sum"
      minutes     = 60
      above       = 1000000000 * var.written_gb_per_hour
    }
  }

  alarm_arns = "arn:${local.partition}:cloudwatch:${local.region}:${local.account}"

  told = concat(aws_sns_topic.alarms[*].arn, var.alarm_topic_arn[*])
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = { for name, alarm in local.alarms : name => alarm if var.alarms }

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
  alarm_actions       = local.told
  ok_actions          = local.told
  tags                = local.tags
}

resource "aws_sns_topic" "alarms" {
  #checkov:skip=CKV_AWS_26:alarms cannot be sent under AWS's own SNS key; they hold names and numbers
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

# The whole account's: a budget by tag would count nothing until somebody has declared the tag to be
# one that costs are allocated by.
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
