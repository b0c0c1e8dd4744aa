# The queue between S3 and the function, and the queues for work that failed for good.

locals {
  seven_days    = 7 * 24 * 3600
  fourteen_days = 14 * 24 * 3600 # the maximum of SQS

  queues = {
    work         = aws_sqs_queue.work.arn
    dead_letters = aws_sqs_queue.dead_letters.arn
    failed_calls = aws_sqs_queue.failed_calls.arn
  }

  # A statement for the policy of every queue.
  only_over_tls = {
    for name, arn in local.queues : name => {
      Sid       = "OnlyOverTls"
      Effect    = "Deny"
      Principal = "*"
      Action    = "sqs:*"
      Resource  = arn
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }
  }
}

resource "aws_sqs_queue" "work" {
  name                    = var.name
  sqs_managed_sse_enabled = true

  # A message that is being processed is invisible. AWS recommends six times the function's timeout,
  # so that a throttled batch is not delivered a second time meanwhile.
  visibility_timeout_seconds = 6 * var.timeout_seconds
  message_retention_seconds  = local.seven_days
  receive_wait_time_seconds  = 20

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letters.arn
    maxReceiveCount     = var.max_receive_count
  })

  tags = local.tags
}

# A message keeps its age when it becomes a dead letter, so this queue has to retain it longer.
resource "aws_sqs_queue" "dead_letters" {
  name                      = "${var.name}-dead-letters"
  sqs_managed_sse_enabled   = true
  message_retention_seconds = local.fourteen_days
  tags                      = local.tags
}

# Asynchronous calls that bypass the queue, such as those of EventBridge Scheduler, after their last
# retry has failed. They need a separate queue: SQS can only redrive dead letters that come from queues,
# and these come from Lambda, each with its event wrapped in a report.
resource "aws_sqs_queue" "failed_calls" {
  name                      = "${var.name}-failed-calls"
  sqs_managed_sse_enabled   = true
  message_retention_seconds = local.fourteen_days
  tags                      = local.tags
}

resource "aws_sqs_queue_policy" "work" {
  queue_url = aws_sqs_queue.work.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "OnlyThisBucketSends"
        Effect    = "Allow"
        Principal = { Service = "s3.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = aws_sqs_queue.work.arn
        Condition = {
          ArnEquals    = { "aws:SourceArn" = aws_s3_bucket.images.arn }
          StringEquals = { "aws:SourceAccount" = local.account }
        }
      },
      local.only_over_tls.work,
    ]
  })
}

resource "aws_sqs_queue_policy" "dead_letters" {
  queue_url = aws_sqs_queue.dead_letters.id

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [local.only_over_tls.dead_letters]
  })
}

resource "aws_sqs_queue_policy" "failed_calls" {
  queue_url = aws_sqs_queue.failed_calls.id

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [local.only_over_tls.failed_calls]
  })
}

resource "aws_s3_bucket_notification" "images" {
  # S3 checks that it may send to the queue before it accepts the configuration.
  depends_on = [aws_sqs_queue_policy.work]

  bucket      = aws_s3_bucket.images.id
  eventbridge = local.eventbridge

  dynamic "queue" {
    for_each = length(local.suffixes) == 0 ? toset([""]) : local.suffixes

    content {
      queue_arn     = aws_sqs_queue.work.arn
      events        = ["s3:ObjectCreated:*"]
      filter_prefix = var.input_prefix
      filter_suffix = queue.value
    }
  }
}

resource "aws_lambda_event_source_mapping" "work" {
  count = length(aws_lambda_function.analyse)

  event_source_arn = aws_sqs_queue.work.arn
  function_name    = aws_lambda_function.analyse[count.index].arn
  batch_size       = var.batch_size

  # A failed object does not cause the rest of its batch to be retried.
  function_response_types = ["ReportBatchItemFailures"]

  scaling_config {
    maximum_concurrency = var.maximum_concurrency
  }

  tags = local.tags
}
