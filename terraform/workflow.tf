# The workflow: EventBridge → Step Functions → functions of the same image, one for each step. It is
# created if workflow_enabled; the functions and what calls them, once there is an image.

locals {
  workflow_name = "${var.name}-workflow"

  # What each step may read and write, and whether it decodes images, which takes memory.
  workflow_steps = {
    plan    = { reads = ["source"], writes = false, images = false }
    process = { reads = ["source"], writes = true, images = true }
    analyse = { reads = ["source", "results"], writes = true, images = true }
    finish  = { reads = ["source", "results"], writes = true, images = false }
    reject  = { reads = ["source"], writes = true, images = false }
  }

  workflow_roles     = { for step, rights in local.workflow_steps : step => rights if var.workflow_enabled }
  workflow_functions = { for step, rights in local.workflow_roles : step => rights if var.image_digest != null }
  workflow_runs      = var.workflow_enabled && var.image_digest != null ? 1 : 0

  workflow_writers = [for step, rights in local.workflow_roles : aws_iam_role.workflow[step].arn if rights.writes]

  workflow_objects = {
    source  = "${aws_s3_bucket.images.arn}/${var.workflow_prefix}*"
    results = "${aws_s3_bucket.images.arn}/${var.output_prefix}workflow/*"
  }

  workflow_topic = (
    length(var.workflow_emails) > 0 ? aws_sns_topic.workflow[*].arn : var.workflow_topic_arn[*]
  )
}

resource "aws_lambda_function" "workflow" {
  #checkov:skip=CKV_AWS_50:the state machine traces its calls, and log lines contain the duration of each step
  #checkov:skip=CKV_AWS_115:optional (workflow_reserved_concurrency)
  #checkov:skip=CKV_AWS_116:the state machine calls it synchronously, and retries by itself
  #checkov:skip=CKV_AWS_117:the function accepts no connections and calls only S3
  #checkov:skip=CKV_AWS_173:no secrets; Lambda encrypts the environment with its own key
  #checkov:skip=CKV_AWS_272:not available for container images, which the digest identifies
  for_each = local.workflow_functions

  function_name = "${local.workflow_name}-${each.key}"
  description   = "The step ${each.key} of the workflow"
  role          = aws_iam_role.workflow[each.key].arn
  package_type  = "Image"
  image_uri     = "${aws_ecr_repository.function.repository_url}@${var.image_digest}"
  architectures = [var.architecture]
  memory_size   = each.value.images ? var.workflow_memory_mb : 512
  timeout       = var.workflow_timeout_seconds

  reserved_concurrent_executions = each.value.images ? var.workflow_reserved_concurrency : null

  image_config {
    command = ["handler.workflow_entry.${each.key}"]
  }

  environment {
    variables = merge(local.environment, {
      FFT_BUCKET          = aws_s3_bucket.images.id
      FFT_WORKFLOW_PREFIX = var.workflow_prefix
    })
  }

  # One log for all functions of the image: their lines have the same form, and tell the step.
  logging_config {
    log_format            = "JSON"
    application_log_level = "INFO"
    system_log_level      = "WARN"
    log_group             = aws_cloudwatch_log_group.function.name
  }

  tags = local.tags

  # The function needs its permissions from the first invocation on.
  depends_on = [aws_iam_role_policy.workflow]
}

resource "aws_iam_role" "workflow" {
  for_each = local.workflow_roles

  name        = "${local.name_in_region}-workflow-${each.key}"
  description = "Permissions of the step ${each.key} of the workflow ${var.name}"

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

resource "aws_iam_role_policy" "workflow" {
  for_each = local.workflow_roles

  name = "step"
  role = aws_iam_role.workflow[each.key].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Sid      = "Read"
          Effect   = "Allow"
          Action   = ["s3:GetObject"]
          Resource = [for what in each.value.reads : local.workflow_objects[what]]
        },
        {
          # As for the function: otherwise a missing object would be reported as "access denied".
          Sid      = "KnowWhatIsMissing"
          Effect   = "Allow"
          Action   = ["s3:ListBucket"]
          Resource = [aws_s3_bucket.images.arn]
        },
        {
          Sid      = "WriteItsLog"
          Effect   = "Allow"
          Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
          Resource = ["${aws_cloudwatch_log_group.function.arn}:log-stream:*"]
        },
      ],
      [for right in [{
        Sid      = "WriteResults"
        Effect   = "Allow"
        Action   = ["s3:PutObject", "s3:AbortMultipartUpload"]
        Resource = [local.workflow_objects.results]
      }] : right if each.value.writes],
    )
  })
}

resource "aws_sfn_state_machine" "workflow" {
  count = local.workflow_runs

  name     = local.workflow_name
  type     = "STANDARD"
  role_arn = aws_iam_role.workflow_machine[count.index].arn

  definition = templatefile("${path.module}/state_machines/workflow.asl.json", merge(
    { for step in keys(local.workflow_functions) : step => aws_lambda_function.workflow[step].arn },
    { partition = local.partition, topic = join("", local.workflow_topic) },
  ))

  # Inputs and outputs hold names and hashes only.
  logging_configuration {
    level                  = "ALL"
    include_execution_data = true
    log_destination        = "${aws_cloudwatch_log_group.workflow[count.index].arn}:*"
  }

  tracing_configuration {
    enabled = true
  }

  tags = local.tags

  # The role has to allow the log and the traces when the state machine is created.
  depends_on = [aws_iam_role_policy.workflow_machine]
}

resource "aws_cloudwatch_log_group" "workflow" {
  #checkov:skip=CKV_AWS_158:CloudWatch encrypts it; it contains neither pixels nor credentials
  #checkov:skip=CKV_AWS_338:see log_retention_days; the permanent record is stored with the results
  count = local.workflow_runs

  # Step Functions adds a statement to a policy of limited size for any other beginning of the name.
  name              = "/aws/vendedlogs/states/${local.workflow_name}"
  retention_in_days = var.log_retention_days
  tags              = local.tags
}

resource "aws_iam_role" "workflow_machine" {
  count = local.workflow_runs

  name        = "${local.name_in_region}-workflow"
  description = "Permissions of the state machine ${local.workflow_name}"

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

resource "aws_iam_role_policy" "workflow_machine" {
  #checkov:skip=CKV_AWS_290:X-Ray and the delivery of logs have no resources to name
  #checkov:skip=CKV_AWS_355:X-Ray and the delivery of logs have no resources to name
  count = local.workflow_runs

  name = "state-machine"
  role = aws_iam_role.workflow_machine[count.index].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Sid      = "CallTheSteps"
          Effect   = "Allow"
          Action   = ["lambda:InvokeFunction"]
          Resource = [for step in keys(local.workflow_functions) : aws_lambda_function.workflow[step].arn]
        },
        {
          Sid    = "DeliverItsLog"
          Effect = "Allow"
          Action = [
            "logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery",
            "logs:DeleteLogDelivery", "logs:ListLogDeliveries", "logs:PutResourcePolicy",
            "logs:DescribeResourcePolicies", "logs:DescribeLogGroups",
          ]
          Resource = ["*"]
        },
        {
          Sid    = "Trace"
          Effect = "Allow"
          Action = [
            "xray:PutTraceSegments", "xray:PutTelemetryRecords",
            "xray:GetSamplingRules", "xray:GetSamplingTargets",
          ]
          Resource = ["*"]
        },
      ],
      [for arn in local.workflow_topic : {
        Sid      = "TellOfOutcomes"
        Effect   = "Allow"
        Action   = ["sns:Publish"]
        Resource = [arn]
      }],
    )
  })
}
