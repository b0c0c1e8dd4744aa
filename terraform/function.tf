# The function, created once there is an image for it.

locals {
  # The variables that handler/settings.py reads, except the bucket; a test compares the two.
  environment = {
    FFT_INPUT_PREFIX      = var.input_prefix
    FFT_OUTPUT_PREFIX     = var.output_prefix
    FFT_RECIPE            = var.recipe
    FFT_MAX_PIXELS        = format("%d", var.max_pixels)
    FFT_FORMATS           = join(",", var.formats)
    FFT_FOREIGN_METADATA  = join(",", var.foreign_metadata)
    FFT_METADATA_KEYS     = join(",", var.metadata_keys)
    FFT_MAX_OUTPUT_BYTES  = var.max_output_bytes == null ? "" : format("%d", var.max_output_bytes)
    FFT_METRICS_NAMESPACE = var.metrics_namespace
    FFT_RESERVE_MS        = format("%d", var.reserve_ms)
  }

  # The estimate of fft_tool/admission.py for an incompressible 8-bit grey PNG: 113 MB for the function
  # and its child process, the file in both, and the peak memory per pixel, which is higher for
  # 16-bit pictures.
  bytes_per_pixel  = can(regex("(^| )bits=16( |$)", var.recipe)) ? 20 : 14
  memory_needed_mb = 113 + ceil(var.max_pixels * local.bytes_per_pixel / 1048576)
}

resource "aws_lambda_function" "analyse" {
  #checkov:skip=CKV_AWS_50:log lines already contain the duration of each step
  #checkov:skip=CKV_AWS_115:optional (reserved_concurrency); the event source mapping limits it
  #checkov:skip=CKV_AWS_116:failed asynchronous calls go to the failed-calls queue, see below
  #checkov:skip=CKV_AWS_117:the function accepts no connections and calls only S3
  #checkov:skip=CKV_AWS_173:no secrets; Lambda encrypts the environment with its own key
  #checkov:skip=CKV_AWS_272:not available for container images, which the digest identifies
  count = var.image_digest == null ? 0 : 1

  function_name = var.name
  description   = "2-D Fourier analysis of images"
  role          = aws_iam_role.function.arn
  package_type  = "Image"
  image_uri     = "${aws_ecr_repository.function.repository_url}@${var.image_digest}"
  architectures = [var.architecture]
  memory_size   = var.memory_mb
  timeout       = var.timeout_seconds

  reserved_concurrent_executions = var.reserved_concurrency

  environment {
    variables = merge(local.environment, { FFT_BUCKET = aws_s3_bucket.images.id })
  }

  # Lines of level INFO carry the metrics. Lambda itself should log only warnings: its three lines per
  # invocation would cost more than the function's one line per image.
  logging_config {
    log_format            = "JSON"
    application_log_level = "INFO"
    system_log_level      = "WARN"
    log_group             = aws_cloudwatch_log_group.function.name
  }

  tags = local.tags

  # The function needs its permissions from the first invocation on.
  depends_on = [aws_iam_role_policy.function]
}

resource "aws_cloudwatch_log_group" "function" {
  #checkov:skip=CKV_AWS_158:CloudWatch encrypts it; it contains neither pixels nor credentials
  #checkov:skip=CKV_AWS_338:see log_retention_days; the permanent record is stored with the results
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.log_retention_days
  tags              = local.tags
}

# The queue retries by itself. This applies to asynchronous calls that bypass it; synchronous callers
# (S3 Batch Operations, Step Functions) receive the error.
resource "aws_lambda_function_event_invoke_config" "analyse" {
  count = length(aws_lambda_function.analyse)

  function_name                = aws_lambda_function.analyse[count.index].function_name
  maximum_retry_attempts       = 2
  maximum_event_age_in_seconds = 3600

  destination_config {
    on_failure {
      destination = aws_sqs_queue.failed_calls.arn
    }
  }
}
