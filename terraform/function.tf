# The function, once there is an image for it.

locals {
  # What handler/settings.py reads, but for the bucket; a test holds the two together.
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

  # As fft_tool/admission.py estimates an 8-bit grey PNG that does not compress: 113 MB for the program
  # itself and its child, the file in both, and what a pixel takes at the peak, more where the
  # pictures have 16 bits.
  bytes_per_pixel  = can(regex("(^| )bits=16( |$)", var.recipe)) ? 20 : 14
  memory_needed_mb = 113 + ceil(var.max_pixels * local.bytes_per_pixel / 1048576)
}

resource "aws_lambda_function" "analyse" {
  #checkov:skip=CKV_AWS_50:each log line has the milliseconds of each step already
  #checkov:skip=CKV_AWS_115:optional (reserved_concurrency); the event source mapping has a cap
  #checkov:skip=CKV_AWS_116:calls past the queue that fail are sent to failed-calls, below
  #checkov:skip=CKV_AWS_117:nothing in it could be reached, and all that it talks to is S3
  #checkov:skip=CKV_AWS_173:no secrets; Lambda encrypts it with a key of its own
  #checkov:skip=CKV_AWS_272:not for container images, where the digest names this very one
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

  # Lines of level INFO carry the metrics. Of its own, Lambda is to write what is wrong alone: three
  # lines an invocation would cost more than the function's one an image.
  logging_config {
    log_format            = "JSON"
    application_log_level = "INFO"
    system_log_level      = "WARN"
    log_group             = aws_cloudwatch_log_group.function.name
  }

  tags = local.tags

  # From its first moment on it may do what it has to.
  depends_on = [aws_iam_role_policy.function]
}

resource "aws_cloudwatch_log_group" "function" {
  #checkov:skip=CKV_AWS_158:CloudWatch encrypts it; neither pixels nor credentials appear in it
  #checkov:skip=CKV_AWS_338:log_retention_days; what lasts is the record beside each result
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.log_retention_days
  tags              = local.tags
}

# A queue that calls the function tries again by itself. This is for calls past it that nobody waits
# for; who waits (S3 Batch Operations, Step Functions) is told the error.
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
