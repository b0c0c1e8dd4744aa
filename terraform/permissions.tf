# What the function may do, and that nobody may call it.

resource "aws_iam_role" "function" {
  name        = local.name_in_region
  description = "What the function ${var.name} may do"

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
        # Nothing is ever listed: this has S3 say "not found" of a source that has gone, rather than
        # "access denied". Why without a condition: docs/decisions/2026-11-27-missing-objects.md.
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

# Nobody is given leave to call it, so there is no aws_lambda_permission: Lambda fetches the queue's
# messages in the role's name; S3 Batch Operations, Step Functions and EventBridge Scheduler come with
# roles of their own. One that is added names source_arn and source_account; a test sees to that.
