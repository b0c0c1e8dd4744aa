# The service as functions behind an HTTP API. Nothing of this exists unless service_api_enabled is set.
#
#   client → HTTP API → api ── asynchronous call ─┐
#                                                 ├→ work → S3, PostgreSQL
#               schedules (a minute, an hour) ────┘

locals {
  service      = var.service_api_enabled
  service_name = "${var.name}-service"
  service_work = "arn:${local.partition}:lambda:${local.region}:${local.account}:function:${local.service_name}-work"
  service_efs  = "/mnt/processed_images"

  # API Gateway gives up after 30 seconds, and base64 makes 6 MB of a request's body 4.5 MB of a file.
  service_seconds = 30
  service_upload  = 4400000

  # The routes of the application. Those of product images need a folder that all instances share.
  service_routes = toset(concat(
    [
      "ANY /upload/", "ANY /retrieve/{proxy+}", "ANY /compare/{proxy+}", "ANY /metrics",
      "ANY /metrics/{proxy+}", "ANY /purge/", "ANY /jobs", "ANY /jobs/{proxy+}", "ANY /healthz",
      "ANY /readyz", "ANY /openapi.json",
    ],
    var.service_access_point_arn == null ? [] : ["ANY /images/{proxy+}"],
  ))

  # The variables that service/settings.py reads, except the secret ones; a test lets it read them.
  service_environment = {
    HOST                  = "0.0.0.0"
    AUTHENTICATION        = "keys"
    STORAGE_PATH          = "s3://${aws_s3_bucket.images.id}/${trimsuffix(var.service_prefix, "/")}"
    PROCESSED_IMAGES      = var.service_access_point_arn == null ? "/tmp/processed_images" : local.service_efs
    TEMPORARY_PATH        = "/tmp/uploads"
    WORKER                = "none"
    WORKERS               = "1"
    MAX_UPLOAD_BYTES      = format("%d", local.service_upload)
    IMAGE_SECONDS         = format("%d", local.service_seconds - 5)
    RATE_TABLE            = join("", aws_dynamodb_table.rate_limit[*].name)
    SERVICE_SECRET_ARN    = coalesce(var.service_secret_arn, "none")
    SERVICE_WORK_FUNCTION = "${local.service_name}-work"
  }

  service_statements = [
    {
      Effect   = "Allow"
      Action   = ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload", "s3:DeleteObject"]
      Resource = "${aws_s3_bucket.images.arn}/${var.service_prefix}*"
    },
    # For objects that may be missing (permissions.tf), and for the sweep.
    { Effect = "Allow", Action = "s3:ListBucket", Resource = aws_s3_bucket.images.arn },
    {
      Effect   = "Allow"
      Action   = "secretsmanager:GetSecretValue"
      Resource = coalesce(var.service_secret_arn, "none")
    },
  ]

  service_file_statements = [for arn in var.service_access_point_arn[*] : {
    Effect    = "Allow"
    Action    = ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"]
    Resource  = "arn:${local.partition}:elasticfilesystem:${local.region}:${local.account}:file-system/*"
    Condition = { StringEquals = { "elasticfilesystem:AccessPointArn" = arn } }
  }]

  service_functions = {
    api = {
      description = "Answers requests"
      command     = "service.lambda_entry.handle"
      seconds     = local.service_seconds
      at_once     = null
      statements = concat(local.service_statements, local.service_file_statements, [
        local.rate_limit_statement,
        { Effect = "Allow", Action = "lambda:InvokeFunction", Resource = local.service_work },
      ])
    }
    work = {
      description = "Does the jobs"
      command     = "service.lambda_entry.work"
      seconds     = 900
      at_once     = var.service_workers
      statements  = concat(local.service_statements, local.service_file_statements)
    }
  }

  service_schedules = {
    work  = { every = "1 minute", event = {}, description = "Does the jobs that no call has announced" }
    sweep = { every = "1 hour", event = { sweep = true }, description = "Deletes what nothing refers to" }
  }

  service_alarms = {
    errors = {
      description = "The HTTP API answers with errors of the server"
      namespace   = "AWS/ApiGateway"
      metric      = "5xx"
      dimensions  = { ApiId = one(aws_apigatewayv2_api.service[*].id) }
    }
    work-errors = {
      description = "The function that does the jobs fails: out of memory or time, a failed start, or a bug"
      namespace   = "AWS/Lambda"
      metric      = "Errors"
      dimensions  = { FunctionName = "${local.service_name}-work" }
    }
  }
}

resource "aws_lambda_function" "service" {
  #checkov:skip=CKV_AWS_50:log lines contain the duration of each request and job
  #checkov:skip=CKV_AWS_115:the HTTP API limits requests, and the function of jobs has a limit
  #checkov:skip=CKV_AWS_116:jobs are rows of the database, and a schedule finds those whose call failed
  #checkov:skip=CKV_AWS_117:optional (service_subnet_ids)
  #checkov:skip=CKV_AWS_173:secret settings are in Secrets Manager; Lambda encrypts the environment with its own key
  #checkov:skip=CKV_AWS_272:not available for container images, which the digest identifies
  for_each = { for name, function in local.service_functions : name => function if local.service }

  function_name = "${local.service_name}-${each.key}"
  description   = each.value.description
  role          = aws_iam_role.service[each.key].arn
  package_type  = "Image"
  image_uri     = "${aws_ecr_repository.function.repository_url}@${var.service_image_digest}"
  architectures = [var.architecture]
  memory_size   = var.service_memory_mb
  timeout       = each.value.seconds

  reserved_concurrent_executions = each.value.at_once

  image_config {
    entry_point = ["/usr/local/bin/lambda-entry"]
    command     = [each.value.command]
  }

  environment {
    variables = local.service_environment
  }

  ephemeral_storage {
    size = 1024 # uploads while they arrive
  }

  dynamic "vpc_config" {
    for_each = length(var.service_subnet_ids) == 0 ? [] : [1]

    content {
      subnet_ids         = var.service_subnet_ids
      security_group_ids = var.service_security_group_ids
    }
  }

  dynamic "file_system_config" {
    for_each = var.service_access_point_arn[*]

    content {
      arn              = file_system_config.value
      local_mount_path = local.service_efs
    }
  }

  # One log for all functions of the repository.
  logging_config {
    log_format            = "JSON"
    application_log_level = "INFO"
    system_log_level      = "WARN"
    log_group             = aws_cloudwatch_log_group.function.name
  }

  tags = local.tags

  # A function needs its permissions from the first invocation on, and one in a VPC until its network
  # interfaces have been deleted.
  depends_on = [aws_iam_role_policy.service, aws_iam_role_policy_attachment.service_in_vpc]
}

# A call that fails is not repeated: the schedule finds the job.
resource "aws_lambda_function_event_invoke_config" "service" {
  count = local.service ? 1 : 0

  function_name                = aws_lambda_function.service["work"].function_name
  maximum_retry_attempts       = 0
  maximum_event_age_in_seconds = 60
}

resource "aws_iam_role" "service" {
  for_each = { for name, function in local.service_functions : name => function if local.service }

  name        = "${local.name_in_region}-service-${each.key}"
  description = "Permissions of the function ${local.service_name}-${each.key}"

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

resource "aws_iam_role_policy" "service" {
  for_each = aws_iam_role.service

  name = "function"
  role = each.value.id

  policy = jsonencode({ Version = "2012-10-17", Statement = concat(local.service_functions[each.key].statements, [{
    Effect   = "Allow"
    Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    Resource = "${aws_cloudwatch_log_group.function.arn}:log-stream:*"
  }]) })
}

# Lambda's own policy for functions in a VPC: creating and deleting network interfaces.
resource "aws_iam_role_policy_attachment" "service_in_vpc" {
  for_each = { for name, role in aws_iam_role.service : name => role if length(var.service_subnet_ids) > 0 }

  role       = each.value.name
  policy_arn = "arn:${local.partition}:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"
}

# The schedules.

resource "aws_scheduler_schedule" "service" {
  #checkov:skip=CKV_AWS_297:the schedules hold no secrets, and AWS encrypts them with its own key
  for_each = { for name, schedule in local.service_schedules : name => schedule if local.service }

  name                = "${local.service_name}-${each.key}"
  description         = each.value.description
  schedule_expression = "rate(${each.value.every})"

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = aws_lambda_function.service["work"].arn
    role_arn = aws_iam_role.service_schedules[0].arn
    input    = jsonencode(each.value.event)

    retry_policy {
      maximum_event_age_in_seconds = 60
      maximum_retry_attempts       = 0
    }
  }
}

resource "aws_iam_role" "service_schedules" {
  count = local.service ? 1 : 0

  name        = "${local.name_in_region}-service-schedules"
  description = "Lets the schedules of ${local.service_name} call the function of jobs"

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

resource "aws_iam_role_policy" "service_schedules" {
  count = local.service ? 1 : 0

  name = "schedules"
  role = aws_iam_role.service_schedules[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = "lambda:InvokeFunction"
      Resource = aws_lambda_function.service["work"].arn
    }]
  })
}

resource "aws_cloudwatch_metric_alarm" "service" {
  for_each = { for name, alarm in local.service_alarms : name => alarm if local.service && var.alarms }

  alarm_name          = "${local.service_name}-${each.key}"
  alarm_description   = "${each.value.description}."
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.alarm_targets
  ok_actions          = local.alarm_targets
  tags                = local.tags
}
