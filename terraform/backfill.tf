# Backfills: running the function over what the bucket already holds. Nothing of this exists unless
# backfill_enabled is set.
#
#   fft-tool backfill ─┬→ state machine → function, or function for scans
#                      └→ S3 Batch Operations → function

locals {
  # What calls functions needs an image for them, as the functions do.
  backfill      = var.backfill_enabled && var.image_digest != null
  backfill_name = "${var.name}-backfill"

  # Lists of keys, reports, and what Step Functions writes about its executions. Results are below
  # output_prefix, as always.
  backfill_objects = "${aws_s3_bucket.images.arn}/backfill/*"
  backfill_parts   = "${aws_s3_bucket.images.arn}/${var.output_prefix}backfill/*"

  backfill_states = "arn:${local.partition}:states:${local.region}:${local.account}"

  # Roles that the bucket's policy lets write results.
  backfill_writers = [for arn in aws_iam_role.scan[*].arn : arn if local.backfill]
}

# To leave out what is done already, the function looks at the metadata of records.
resource "aws_iam_role_policy" "skip_existing" {
  count = local.backfill ? 1 : 0

  name = "skip-existing"
  role = aws_iam_role.function.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "LookAtRecords"
      Effect   = "Allow"
      Action   = "s3:GetObject"
      Resource = "${aws_s3_bucket.images.arn}/${var.output_prefix}*_metadata.json"
    }]
  })
}

resource "aws_lambda_function" "scan" {
  #checkov:skip=CKV_AWS_50:log lines already contain the duration of each step
  #checkov:skip=CKV_AWS_115:the state machine limits it
  #checkov:skip=CKV_AWS_116:the state machine calls it synchronously, and retries
  #checkov:skip=CKV_AWS_117:the function accepts no connections and calls only S3
  #checkov:skip=CKV_AWS_173:no secrets; Lambda encrypts the environment with its own key
  #checkov:skip=CKV_AWS_272:not available for container images, which the digest identifies
  count = local.backfill ? 1 : 0

  function_name = "${var.name}-scan"
  description   = "Measures batches of images, and writes a row for each"
  role          = aws_iam_role.scan[count.index].arn
  package_type  = "Image"
  image_uri     = "${aws_ecr_repository.function.repository_url}@${var.image_digest}"
  architectures = [var.architecture]
  memory_size   = var.memory_mb
  timeout       = var.backfill_scan_timeout_seconds

  image_config {
    command = ["handler.scan_entry.scan"]
  }

  environment {
    variables = merge(local.environment, { FFT_BUCKET = aws_s3_bucket.images.id })
  }

  # One log for all functions of the image: their lines have the same form.
  logging_config {
    log_format            = "JSON"
    application_log_level = "INFO"
    system_log_level      = "WARN"
    log_group             = aws_cloudwatch_log_group.function.name
  }

  tags = local.tags

  # The function needs its permissions from the first invocation on.
  depends_on = [aws_iam_role_policy.scan]
}

resource "aws_iam_role" "scan" {
  count = local.backfill ? 1 : 0

  name        = "${local.name_in_region}-scan"
  description = "Permissions of the function ${var.name}-scan"

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

resource "aws_iam_role_policy" "scan" {
  count = local.backfill ? 1 : 0

  name = "function"
  role = aws_iam_role.scan[count.index].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "ReadSources"
        Effect   = "Allow"
        Action   = "s3:GetObject"
        Resource = "${aws_s3_bucket.images.arn}/${var.input_prefix}*"
      },
      {
        # Otherwise a missing object would be reported as "access denied": see permissions.tf.
        Sid      = "KnowWhatIsMissing"
        Effect   = "Allow"
        Action   = "s3:ListBucket"
        Resource = aws_s3_bucket.images.arn
      },
      {
        Sid      = "WriteRows"
        Effect   = "Allow"
        Action   = ["s3:PutObject", "s3:AbortMultipartUpload"]
        Resource = local.backfill_parts
      },
      {
        Sid      = "WriteItsLog"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "${aws_cloudwatch_log_group.function.arn}:log-stream:*"
      },
    ]
  })
}

# The engine "map".

resource "aws_sfn_state_machine" "backfill" {
  count = local.backfill ? 1 : 0

  name     = local.backfill_name
  type     = "STANDARD"
  role_arn = aws_iam_role.backfill_machine[count.index].arn

  definition = templatefile("${path.module}/state_machines/backfill.asl.json", {
    partition     = local.partition
    analyse       = one(aws_lambda_function.analyse[*].arn)
    scan          = one(aws_lambda_function.scan[*].arn)
    output_prefix = var.output_prefix
  })

  # Errors only: a million objects are tens of thousands of executions.
  logging_configuration {
    level                  = "ERROR"
    include_execution_data = true
    log_destination        = "${aws_cloudwatch_log_group.backfill[count.index].arn}:*"
  }

  tracing_configuration {
    enabled = true
  }

  tags = local.tags

  # The role has to allow the log and the traces when the state machine is created.
  depends_on = [aws_iam_role_policy.backfill_machine]
}

resource "aws_cloudwatch_log_group" "backfill" {
  #checkov:skip=CKV_AWS_158:CloudWatch encrypts it; it contains neither pixels nor credentials
  #checkov:skip=CKV_AWS_338:see log_retention_days; the permanent record is stored with the results
  count = local.backfill ? 1 : 0

  # Step Functions adds a statement to a policy of limited size for any other beginning of the name.
  name              = "/aws/vendedlogs/states/${local.backfill_name}"
  retention_in_days = var.log_retention_days
  tags              = local.tags
}

resource "aws_iam_role" "backfill_machine" {
  count = local.backfill ? 1 : 0

  name        = "${local.name_in_region}-backfill"
  description = "Permissions of the state machine ${local.backfill_name}"

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

resource "aws_iam_role_policy" "backfill_machine" {
  #checkov:skip=CKV_AWS_290:X-Ray and the delivery of logs have no resources to name
  #checkov:skip=CKV_AWS_355:X-Ray and the delivery of logs have no resources to name
  count = local.backfill ? 1 : 0

  name = "state-machine"
  role = aws_iam_role.backfill_machine[count.index].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "CallTheFunctions"
        Effect   = "Allow"
        Action   = "lambda:InvokeFunction"
        Resource = concat(aws_lambda_function.analyse[*].arn, aws_lambda_function.scan[*].arn)
      },
      {
        Sid      = "ListTheBucket"
        Effect   = "Allow"
        Action   = "s3:ListBucket"
        Resource = aws_s3_bucket.images.arn
      },
      {
        # Lists of keys are read; what became of the child executions is written.
        Sid    = "ReadListsAndWriteResultsOfExecutions"
        Effect = "Allow"
        Action = [
          "s3:GetObject", "s3:PutObject", "s3:ListMultipartUploadParts", "s3:AbortMultipartUpload",
        ]
        Resource = local.backfill_objects
      },
      {
        # A Distributed Map starts its children as executions of the state machine itself.
        Sid      = "StartChildren"
        Effect   = "Allow"
        Action   = "states:StartExecution"
        Resource = "${local.backfill_states}:stateMachine:${local.backfill_name}"
      },
      {
        Sid      = "FollowAndRedriveChildren"
        Effect   = "Allow"
        Action   = ["states:DescribeExecution", "states:StopExecution", "states:RedriveExecution"]
        Resource = "${local.backfill_states}:execution:${local.backfill_name}/*"
      },
      {
        Sid    = "DeliverItsLog"
        Effect = "Allow"
        Action = [
          "logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery",
          "logs:DeleteLogDelivery", "logs:ListLogDeliveries", "logs:PutResourcePolicy",
          "logs:DescribeResourcePolicies", "logs:DescribeLogGroups",
        ]
        Resource = "*"
      },
      {
        Sid    = "Trace"
        Effect = "Allow"
        Action = [
          "xray:PutTraceSegments", "xray:PutTelemetryRecords",
          "xray:GetSamplingRules", "xray:GetSamplingTargets",
        ]
        Resource = "*"
      },
    ]
  })
}

# The engine "batch".

resource "aws_iam_role" "batch_operations" {
  count = local.backfill ? 1 : 0

  name        = "${local.name_in_region}-batch-operations"
  description = "What S3 Batch Operations may do in a backfill of ${var.name}"

  permissions_boundary = var.permissions_boundary

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "batchoperations.s3.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })

  tags = local.tags
}

resource "aws_iam_role_policy" "batch_operations" {
  count = local.backfill ? 1 : 0

  name = "batch-operations"
  role = aws_iam_role.batch_operations[count.index].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "CallTheFunction"
        Effect   = "Allow"
        Action   = "lambda:InvokeFunction"
        Resource = flatten([for arn in aws_lambda_function.analyse[*].arn : [arn, "${arn}:*"]])
      },
      {
        # To list the objects below a prefix by itself.
        Sid      = "ListTheBucket"
        Effect   = "Allow"
        Action   = ["s3:ListBucket", "s3:PutInventoryConfiguration"]
        Resource = aws_s3_bucket.images.arn
      },
      {
        Sid      = "ReadListsAndWriteReports"
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"]
        Resource = local.backfill_objects
      },
    ]
  })
}
