# Permissions of the function.

resource "aws_iam_role" "function" {
  name        = local.name_in_region
  description = "Permissions of the function ${var.name}"

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

resource "aws_iam_role_policy" "function" {
  name = "function"
  role = aws_iam_role.function.id

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
        # The function never lists the bucket. Without this permission, S3 answers "access denied"
        # instead of "not found" for a source that has been deleted. A condition on the prefix would
        # not match such requests: docs/decisions/2026-11-27-missing-objects.md.
        Sid      = "KnowWhatIsMissing"
        Effect   = "Allow"
        Action   = "s3:ListBucket"
        Resource = aws_s3_bucket.images.arn
      },
      {
        Sid      = "WriteResults"
        Effect   = "Allow"
        Action   = ["s3:PutObject", "s3:AbortMultipartUpload"]
        Resource = "${aws_s3_bucket.images.arn}/${var.output_prefix}*"
      },
      {
        Sid      = "TakeWork"
        Effect   = "Allow"
        Action   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
        Resource = aws_sqs_queue.work.arn
      },
      {
        Sid      = "TellOfFailedCalls"
        Effect   = "Allow"
        Action   = "sqs:SendMessage"
        Resource = aws_sqs_queue.failed_calls.arn
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

# There is no aws_lambda_permission for this function, since no service needs one: Lambda polls the
# queue with the function's role, and S3 Batch Operations, Step Functions and EventBridge Scheduler use
# roles of their own. The HTTP API of the service needs one, in service_api.tf. Each must set source_arn
# and source_account; a test checks this.
