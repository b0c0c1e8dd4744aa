# Batches: once all images of a job are there, its statistics are published. Nothing of this exists
# unless batches_enabled is set.
#
#   upload → EventBridge → queue ─┐
#                                 ├→ sweep → state machine: detect → count → publish → notify
#              schedule ──────────┘

locals {
  # Functions need an image, as the one for single images does.
  batches      = var.batches_enabled && var.image_digest != null
  batch_bucket = aws_s3_bucket.images.arn
  batch_output = "${var.output_prefix}batches/"
  batch_name   = "${var.name}-batches"
  batch_arn    = "arn:${local.partition}:states:${local.region}:${local.account}:stateMachine:${local.batch_name}"

  batch_runs_arn = "arn:${local.partition}:states:${local.region}:${local.account}:execution:${local.batch_name}"

  # Roles that the bucket's policy lets write results.
  batch_writers = concat(
    [for name in ["detect", "count", "publish"] : aws_iam_role.batches[name].arn if local.batches],
    [for arn in aws_iam_role.batches_machine[*].arn : arn if local.batches],
  )

  # The variables that handler/batches_settings.py reads, beside those of the other function; a test
  # compares the two.
  batch_environment = {
    FFT_BATCHES_PREFIX        = var.batches_prefix
    FFT_BATCHES               = format("%d", var.batches_per_job)
    FFT_BATCHES_IMAGES        = format("%d", var.batches_images)
    FFT_BATCHES_THRESHOLD     = var.batches_threshold
    FFT_BATCHES_PART          = format("%d", var.batches_part)
    FFT_BATCHES_INLINE_IMAGES = format("%d", var.batches_inline_images)
    FFT_BATCHES_WAITING_HOURS = format("%d", var.batches_waiting_hours)
    BATCHES_STATE_MACHINE     = local.batch_arn
  }

  # Every request for an object that may be missing needs ListBucket: see permissions.tf.
  batch_lists = { Effect = "Allow", Action = "s3:ListBucket", Resource = local.batch_bucket }
  batch_reads_jobs = {
    Effect   = "Allow"
    Action   = "s3:GetObject"
    Resource = "${local.batch_bucket}/${var.batches_prefix}*"
  }
  batch_reads_results = {
    Effect   = "Allow"
    Action   = "s3:GetObject"
    Resource = "${local.batch_bucket}/${local.batch_output}*"
  }
  batch_writes_results = {
    Effect   = "Allow"
    Action   = ["s3:PutObject", "s3:AbortMultipartUpload"]
    Resource = "${local.batch_bucket}/${local.batch_output}*"
  }

  batch_functions = {
    sweep = {
      description = "Looks at jobs, and starts those that are complete"
      memory_mb   = 512
      statements = [
        local.batch_lists, local.batch_reads_jobs, local.batch_reads_results,
        { Effect = "Allow", Action = "states:StartExecution", Resource = local.batch_arn },
        { Effect = "Allow", Action = "states:DescribeExecution", Resource = "${local.batch_runs_arn}:*" },
        {
          Effect   = "Allow"
          Action   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
          Resource = one(aws_sqs_queue.batches[*].arn)
        },
      ]
    }
    detect = {
      description = "Surveys a job, and creates the marker of its revision"
      memory_mb   = 512
      statements = [
        local.batch_lists, local.batch_reads_jobs, local.batch_reads_results,
        local.batch_writes_results,
      ]
    }
    count = {
      description = "Counts black and white pixels"
      memory_mb   = var.memory_mb
      statements = [
        local.batch_lists, local.batch_reads_jobs, local.batch_reads_results,
        local.batch_writes_results,
      ]
    }
    publish = {
      description = "Publishes the rows of a job, as files and to the database"
      memory_mb   = 1024
      statements = concat(
        [local.batch_lists, local.batch_reads_results, local.batch_writes_results],
        local.database_statements,
      )
    }
  }
}

resource "aws_iam_role" "batches" {
  for_each = { for name, function in local.batch_functions : name => function if local.batches }

  name        = "${local.name_in_region}-batches-${each.key}"
  description = "Permissions of the function ${local.batch_name}-${each.key}"

  permissions_boundary = var.permissions_boundary

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })

  tags = local.tags
}

resource "aws_iam_role_policy" "batches" {
  for_each = aws_iam_role.batches

  name = "function"
  role = each.value.id

  policy = jsonencode({ Version = "2012-10-17", Statement = concat(local.batch_functions[each.key].statements, [{
    Effect   = "Allow"
    Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    Resource = "${aws_cloudwatch_log_group.function.arn}:log-stream:*"
  }]) })
}

resource "aws_lambda_function" "batches" {
  #checkov:skip=CKV_AWS_115:the state machine and the event source mapping limit it
  #checkov:skip=CKV_AWS_116:its callers retry: the state machine, the queue, and the next sweep
  #checkov:skip=CKV_AWS_117:only the function that writes to the database needs a VPC
  #checkov:skip=CKV_AWS_173:no secrets; Lambda encrypts the environment with its own key
  #checkov:skip=CKV_AWS_272:not available for container images, which the digest identifies
  for_each = { for name, function in local.batch_functions : name => function if local.batches }

  function_name = "${local.batch_name}-${each.key}"
  description   = each.value.description
  role          = aws_iam_role.batches[each.key].arn
  package_type  = "Image"
  image_uri     = "${aws_ecr_repository.function.repository_url}@${var.image_digest}"
  architectures = [var.architecture]
  memory_size   = each.value.memory_mb
  timeout       = local.batch_timeout

  image_config {
    command = ["handler.batches_entry.${each.key}"]
  }

  environment {
    variables = merge(
      local.environment,
      local.batch_environment,
      { FFT_BUCKET = aws_s3_bucket.images.id },
      each.key == "publish" ? local.database_environment : {},
    )
  }

  dynamic "vpc_config" {
    for_each = each.key == "publish" && local.database ? [1] : []

    content {
      subnet_ids         = local.database_subnets
      security_group_ids = aws_security_group.publish[*].id
    }
  }

  # One log for all functions of the image: their lines have the same form.
  logging_config {
    log_format            = "JSON"
    application_log_level = "INFO"
    system_log_level      = "WARN"
    log_group             = aws_cloudwatch_log_group.function.name
  }

  tracing_config {
    mode = "PassThrough" # the state machine decides what is traced
  }

  tags = local.tags

  # A function needs its permissions from the first invocation on, and one in a VPC until its network
  # interfaces have been deleted.
  depends_on = [aws_iam_role_policy.batches, aws_iam_role_policy_attachment.publish_in_vpc]
}

# The events of uploads. Through a queue: a hundred uploads within seconds are one look at their job.

locals {
  batch_timeout = 300
  batch_rule    = "arn:${local.partition}:events:${local.region}:${local.account}:rule/${local.batch_name}"
}

resource "aws_sqs_queue" "batches" {
  count = local.batches ? 1 : 0

  name                       = local.batch_name
  sqs_managed_sse_enabled    = true
  visibility_timeout_seconds = 6 * local.batch_timeout
  message_retention_seconds  = local.seven_days
  receive_wait_time_seconds  = 20

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.batches_dead_letters[0].arn
    maxReceiveCount     = var.max_receive_count
  })

  tags = local.tags
}

resource "aws_sqs_queue" "batches_dead_letters" {
  count = local.batches ? 1 : 0

  name                      = "${local.batch_name}-dead-letters"
  sqs_managed_sse_enabled   = true
  message_retention_seconds = local.fourteen_days
  tags                      = local.tags
}

resource "aws_sqs_queue_policy" "batches" {
  count = local.batches ? 1 : 0

  queue_url = aws_sqs_queue.batches[count.index].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "OnlyThisRuleSends"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = aws_sqs_queue.batches[0].arn
        Condition = {
          ArnEquals    = { "aws:SourceArn" = local.batch_rule }
          StringEquals = { "aws:SourceAccount" = local.account }
        }
      },
      {
        Sid       = "OnlyOverTls"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sqs:*"
        Resource  = aws_sqs_queue.batches[0].arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

# Events that EventBridge could not send to the queue lie here too.
resource "aws_sqs_queue_policy" "batches_dead_letters" {
  count = local.batches ? 1 : 0

  queue_url = aws_sqs_queue.batches_dead_letters[count.index].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "OnlyThisRuleSends"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = aws_sqs_queue.batches_dead_letters[0].arn
        Condition = {
          ArnEquals    = { "aws:SourceArn" = local.batch_rule }
          StringEquals = { "aws:SourceAccount" = local.account }
        }
      },
      {
        Sid       = "OnlyOverTls"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sqs:*"
        Resource  = aws_sqs_queue.batches_dead_letters[0].arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

# A deletion can complete a job too: that of an image too many.
resource "aws_cloudwatch_event_rule" "batches" {
  count = local.batches ? 1 : 0

  name        = local.batch_name
  description = "Uploads to jobs"

  event_pattern = jsonencode({
    source      = ["aws.s3"]
    detail-type = ["Object Created", "Object Deleted"]
    detail = {
      bucket = { name = [aws_s3_bucket.images.id] }
      object = { key = [{ prefix = var.batches_prefix }] }
    }
  })

  tags = local.tags
}

resource "aws_cloudwatch_event_target" "batches" {
  count = local.batches ? 1 : 0

  rule      = aws_cloudwatch_event_rule.batches[0].name
  target_id = "queue"
  arn       = aws_sqs_queue.batches[0].arn

  dead_letter_config {
    arn = aws_sqs_queue.batches_dead_letters[0].arn
  }

  retry_policy {
    maximum_event_age_in_seconds = 86400
    maximum_retry_attempts       = 185
  }

  depends_on = [aws_sqs_queue_policy.batches, aws_sqs_queue_policy.batches_dead_letters]
}

resource "aws_lambda_event_source_mapping" "batches" {
  count = local.batches ? 1 : 0

  event_source_arn = aws_sqs_queue.batches[0].arn
  function_name    = aws_lambda_function.batches["sweep"].arn

  # As many events as come within ten seconds are one look at each job that they are about.
  batch_size                         = 1000
  maximum_batching_window_in_seconds = 10
  function_response_types            = ["ReportBatchItemFailures"]

  scaling_config {
    maximum_concurrency = 2
  }

  tags = local.tags
}

# The sweep finds what an event missed, and runs the same function.

resource "aws_scheduler_schedule" "batches" {
  #checkov:skip=CKV_AWS_297:the schedule holds no secrets, and AWS encrypts it with its own key
  count = local.batches ? 1 : 0

  name                = local.batch_name
  description         = "Looks at all jobs"
  schedule_expression = format("rate(%d %s)", var.batches_sweep_minutes, var.batches_sweep_minutes == 1 ? "minute" : "minutes")

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = aws_lambda_function.batches["sweep"].arn
    role_arn = aws_iam_role.batches_schedule[0].arn
    input    = jsonencode({ bucket = aws_s3_bucket.images.id })

    retry_policy {
      maximum_event_age_in_seconds = 60 * max(var.batches_sweep_minutes, 5)
      maximum_retry_attempts       = 5
    }
  }
}

resource "aws_iam_role" "batches_schedule" {
  count = local.batches ? 1 : 0

  name        = "${local.name_in_region}-batches-schedule"
  description = "Lets the schedule of ${local.batch_name} call its function"

  permissions_boundary = var.permissions_boundary

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "scheduler.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })

  tags = local.tags
}

resource "aws_iam_role_policy" "batches_schedule" {
  count = local.batches ? 1 : 0

  name = "schedule"
  role = aws_iam_role.batches_schedule[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = "lambda:InvokeFunction"
      Resource = aws_lambda_function.batches["sweep"].arn
    }]
  })
}

# The state machine.

resource "aws_sfn_state_machine" "batches" {
  count = local.batches ? 1 : 0

  name     = local.batch_name
  role_arn = aws_iam_role.batches_machine[0].arn

  definition = templatefile("${path.module}/state_machines/batches.asl.json", {
    partition = local.partition
    detect    = aws_lambda_function.batches["detect"].arn
    count     = aws_lambda_function.batches["count"].arn
    publish   = aws_lambda_function.batches["publish"].arn
    topic     = aws_sns_topic.batches[0].arn
  })

  logging_configuration {
    level                  = "ERROR"
    include_execution_data = true
    log_destination        = "${aws_cloudwatch_log_group.batches_machine[0].arn}:*"
  }

  tracing_configuration {
    enabled = true
  }

  tags = local.tags

  depends_on = [aws_iam_role_policy.batches_machine]
}

resource "aws_cloudwatch_log_group" "batches_machine" {
  #checkov:skip=CKV_AWS_158:CloudWatch encrypts it; it contains neither pixels nor credentials
  #checkov:skip=CKV_AWS_338:see log_retention_days; the permanent record is stored with the results
  count = local.batches ? 1 : 0

  name              = "/aws/vendedlogs/states/${local.batch_name}"
  retention_in_days = var.log_retention_days
  tags              = local.tags
}

resource "aws_iam_role" "batches_machine" {
  count = local.batches ? 1 : 0

  name        = "${local.name_in_region}-batches-machine"
  description = "Permissions of the state machine ${local.batch_name}"

  permissions_boundary = var.permissions_boundary

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "states.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })

  tags = local.tags
}

resource "aws_iam_role_policy" "batches_machine" {
  #checkov:skip=CKV_AWS_355:X-Ray and the delivery of logs have no resources that could be named
  #checkov:skip=CKV_AWS_290:X-Ray and the delivery of logs have no resources that could be named
  count = local.batches ? 1 : 0

  name = "state-machine"
  role = aws_iam_role.batches_machine[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "CallItsFunctions"
        Effect   = "Allow"
        Action   = "lambda:InvokeFunction"
        Resource = [for name in ["count", "detect", "publish"] : aws_lambda_function.batches[name].arn]
      },
      {
        Sid      = "StartTheItemsOfADistributedMap"
        Effect   = "Allow"
        Action   = "states:StartExecution"
        Resource = local.batch_arn
      },
      {
        Sid      = "FollowAndRedriveThem"
        Effect   = "Allow"
        Action   = ["states:DescribeExecution", "states:StopExecution", "states:RedriveExecution"]
        Resource = ["${local.batch_runs_arn}:*", "${local.batch_runs_arn}/*"]
      },
      {
        # The list of items, and what became of each.
        Sid      = "ReadItemsAndWriteResults"
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:PutObject", "s3:ListMultipartUploadParts", "s3:AbortMultipartUpload"]
        Resource = "${local.batch_bucket}/${local.batch_output}*"
      },
      {
        Sid      = "Notify"
        Effect   = "Allow"
        Action   = "sns:Publish"
        Resource = aws_sns_topic.batches[0].arn
      },
      {
        Sid    = "WriteItsLogAndTraces"
        Effect = "Allow"
        Action = [
          "logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery",
          "logs:DeleteLogDelivery", "logs:ListLogDeliveries", "logs:PutResourcePolicy",
          "logs:DescribeResourcePolicies", "logs:DescribeLogGroups",
          "xray:PutTraceSegments", "xray:PutTelemetryRecords",
          "xray:GetSamplingRules", "xray:GetSamplingTargets",
        ]
        Resource = "*"
      },
    ]
  })
}

# The topic costs nothing as long as nobody subscribes to it.

resource "aws_sns_topic" "batches" {
  count = local.batches ? 1 : 0

  name              = local.batch_name
  kms_master_key_id = "alias/aws/sns"
  tags              = local.tags
}

resource "aws_sns_topic_subscription" "batches" {
  for_each = local.batches ? var.batches_emails : toset([])

  topic_arn = aws_sns_topic.batches[0].arn
  protocol  = "email"
  endpoint  = each.value
}

# Alarms.

locals {
  batch_of_sweep = { FunctionName = "${local.batch_name}-sweep" }

  batch_alarms = {
    failed = {
      description = "Jobs failed: see status.json beside their results, and the state machine"
      namespace   = "AWS/States"
      metric      = "ExecutionsFailed"
      dimensions  = { StateMachineArn = local.batch_arn }
      statistic   = "Sum"
    }
    timed-out = {
      description = "Jobs took longer than a day"
      namespace   = "AWS/States"
      metric      = "ExecutionsTimedOut"
      dimensions  = { StateMachineArn = local.batch_arn }
      statistic   = "Sum"
    }
    waiting = {
      description = "Jobs have been incomplete for over batches_waiting_hours; the log names what is missing"
      namespace   = var.metrics_namespace
      metric      = "JobsOverdue"
      dimensions  = local.batch_of_sweep
      statistic   = "Maximum"
    }
    given-up = {
      description = "Jobs failed at every attempt, and will not be tried again by themselves"
      namespace   = var.metrics_namespace
      metric      = "JobsGivenUp"
      dimensions  = local.batch_of_sweep
      statistic   = "Maximum"
    }
    sweep-errors = {
      description = "The function that looks at jobs fails"
      namespace   = "AWS/Lambda"
      metric      = "Errors"
      dimensions  = local.batch_of_sweep
      statistic   = "Sum"
    }
    dead-letters = {
      description = "Events of uploads are in the dead-letter queue; the sweep finds their jobs all the same"
      namespace   = "AWS/SQS"
      metric      = "ApproximateNumberOfMessagesVisible"
      dimensions  = { QueueName = "${local.batch_name}-dead-letters" }
      statistic   = "Maximum"
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "batches" {
  for_each = { for name, alarm in local.batch_alarms : name => alarm if local.batches && var.alarms }

  alarm_name          = "${local.batch_name}-${each.key}"
  alarm_description   = "${each.value.description}."
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  period              = 60 * max(5, var.batches_sweep_minutes)
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.alarm_targets
  ok_actions          = local.alarm_targets
  tags                = local.tags
}
