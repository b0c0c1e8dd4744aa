# The resources that result from the defaults, with a mock provider and therefore without an account.

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_data "aws_region" {
    defaults = { region = "eu-central-1" }
  }

  mock_resource "aws_s3_bucket" {
    defaults = {
      id  = "fft-pipeline-123456789012-eu-central-1"
      arn = "arn:aws:s3:::fft-pipeline-123456789012-eu-central-1"
    }
  }

  mock_resource "aws_sqs_queue" {
    defaults = { arn = "arn:aws:sqs:eu-central-1:123456789012:queue" }
  }

  mock_resource "aws_ecr_repository" {
    defaults = { repository_url = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/fft-pipeline" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/fft-pipeline" }
  }

  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-central-1:123456789012:log-group:/aws/lambda/fft-pipeline" }
  }

  mock_resource "aws_lambda_function" {
    defaults = { arn = "arn:aws:lambda:eu-central-1:123456789012:function:fft-pipeline" }
  }

  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:eu-central-1:123456789012:fft-pipeline-alarms" }
  }
}

variables {
  digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
}

run "without_an_image_there_is_no_function" {
  command = apply

  assert {
    condition     = length(aws_lambda_function.analyse) == 0 && output.function == null
    error_message = "without an image there is no function"
  }

  assert {
    condition     = output.repository_url == "123456789012.dkr.ecr.eu-central-1.amazonaws.com/fft-pipeline"
    error_message = "the repository is created before the image exists"
  }

  assert {
    condition     = output.bucket == "fft-pipeline-123456789012-eu-central-1"
    error_message = "the name of the bucket contains the account and the region"
  }

  assert {
    condition     = length(aws_s3_bucket_notification.images.queue) == 28
    error_message = "fourteen suffixes, in lower and upper case"
  }
}

run "the_bucket_is_closed_and_kept" {
  command = apply

  assert {
    condition     = !aws_s3_bucket.images.force_destroy
    error_message = "the bucket is not deleted with its contents by default"
  }

  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.images.block_public_acls,
      aws_s3_bucket_public_access_block.images.block_public_policy,
      aws_s3_bucket_public_access_block.images.ignore_public_acls,
      aws_s3_bucket_public_access_block.images.restrict_public_buckets,
    ])
    error_message = "public access is blocked"
  }

  assert {
    condition     = jsondecode(aws_s3_bucket_policy.images.policy).Statement[0].Condition.Bool["aws:SecureTransport"] == "false"
    error_message = "requests without TLS are denied"
  }

  assert {
    condition = jsondecode(aws_s3_bucket_policy.images.policy).Statement[1].Condition.ArnNotLike["aws:PrincipalArn"] == [
      "arn:aws:iam::123456789012:role/fft-pipeline",
      "arn:aws:iam::123456789012:root",
    ]
    error_message = "only the function and the account's root user write results"
  }

  assert {
    condition     = length(aws_s3_bucket_lifecycle_configuration.images.rule) == 2
    error_message = "results do not expire by default"
  }

  assert {
    condition     = length(aws_s3_bucket_logging.images) == 0
    error_message = "access logs are optional"
  }
}

run "only_the_bucket_sends_to_the_queue" {
  command = apply

  assert {
    condition = jsondecode(aws_sqs_queue_policy.work.policy).Statement[0].Condition == {
      ArnEquals    = { "aws:SourceArn" = "arn:aws:s3:::fft-pipeline-123456789012-eu-central-1" }
      StringEquals = { "aws:SourceAccount" = "123456789012" }
    }
    error_message = "the queue accepts messages only from this bucket, in this account"
  }

  assert {
    condition = alltrue([
      for policy in [
        aws_sqs_queue_policy.work.policy,
        aws_sqs_queue_policy.dead_letters.policy,
        aws_sqs_queue_policy.failed_calls.policy,
      ] :
      contains([
        for statement in jsondecode(policy).Statement : try(statement.Condition.Bool["aws:SecureTransport"], "")
      ], "false")
    ])
    error_message = "every queue denies requests without TLS"
  }
}

run "with_an_image_there_is_a_function" {
  command = apply

  variables {
    image_digest = var.digest
  }

  assert {
    condition     = aws_lambda_function.analyse[0].image_uri == "123456789012.dkr.ecr.eu-central-1.amazonaws.com/fft-pipeline@${var.digest}"
    error_message = "the function refers to the image by its digest"
  }

  assert {
    condition     = aws_lambda_event_source_mapping.work[0].function_response_types == toset(["ReportBatchItemFailures"])
    error_message = "a failed object does not cause the rest of its batch to be retried"
  }

  assert {
    condition     = aws_sqs_queue.work.visibility_timeout_seconds == 6 * aws_lambda_function.analyse[0].timeout
    error_message = "the visibility timeout is six times the timeout of the function"
  }

  assert {
    condition = alltrue([
      for statement in jsondecode(aws_iam_role_policy.function.policy).Statement :
      !strcontains(jsonencode(statement.Action), "*") && statement.Resource != "*"
    ])
    error_message = "the permissions name only the resources that are needed"
  }

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.this) == 7 && length(aws_cloudwatch_dashboard.this) == 1
    error_message = "there are alarms and a dashboard"
  }

  assert {
    condition     = aws_lambda_function.analyse[0].environment[0].variables.FFT_BUCKET == "fft-pipeline-123456789012-eu-central-1"
    error_message = "the function accepts only events of this bucket"
  }

  assert {
    condition     = length(aws_budgets_budget.account) == 0 && aws_iam_role.function.permissions_boundary == null
    error_message = "by default there is no budget and no permissions boundary"
  }

  assert {
    condition     = can(jsondecode(aws_cloudwatch_dashboard.this[0].dashboard_body).widgets[6])
    error_message = "the dashboard has six graphs and a table"
  }
}

run "every_variable_takes_effect" {
  command = apply

  variables {
    image_digest       = var.digest
    name               = "scans"
    bucket_name        = "scans-of-the-museum"
    input_prefix       = "scans/raw/"
    output_prefix      = "scans/spectra/"
    suffixes           = []
    output_expiry_days = 90
    access_log_bucket  = "logs-of-the-museum"
    architecture       = "arm64"
    memory_mb          = 3008
    timeout_seconds    = 300
    recipe             = "bits=16 window=hann"
    alarm_emails       = ["keeper@example.org", "deputy@example.org"]
    alarm_topic_arn    = "arn:aws:sns:eu-central-1:123456789012:everything"
    dashboard          = false
    tags               = { Department = "Prints" }

    administrators       = ["arn:aws:iam::123456789012:role/curators/keeper"]
    permissions_boundary = "arn:aws:iam::123456789012:policy/boundary"
    formats              = ["png", "tiff"]
    metadata_keys        = ["channel", "pixel-size"]
    max_output_bytes     = 500000000
    written_gb_per_hour  = 0.5
    monthly_budget_usd   = 50
  }

  assert {
    condition = contains(
      jsondecode(aws_s3_bucket_policy.images.policy).Statement[1].Condition.ArnNotLike["aws:PrincipalArn"],
      "arn:aws:iam::123456789012:role/curators/keeper",
    )
    error_message = "administrators can write results"
  }

  assert {
    condition     = aws_iam_role.function.permissions_boundary == "arn:aws:iam::123456789012:policy/boundary"
    error_message = "the role has the permissions boundary"
  }

  assert {
    condition = alltrue([
      aws_lambda_function.analyse[0].environment[0].variables.FFT_METADATA_KEYS == "channel,pixel-size",
      aws_lambda_function.analyse[0].environment[0].variables.FFT_FORMATS == "png,tiff",
      aws_lambda_function.analyse[0].environment[0].variables.FFT_MAX_OUTPUT_BYTES == "500000000",
    ])
    error_message = "the settings are passed to the function"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["bytes-written"].threshold == 500000000
    error_message = "there is an alarm on bytes written"
  }

  assert {
    condition = alltrue([
      aws_budgets_budget.account[0].limit_amount == "50.00",
      length(aws_budgets_budget.account[0].notification) == 2,
      alltrue([
        for item in aws_budgets_budget.account[0].notification :
        length(item.subscriber_email_addresses) == 2 && length(item.subscriber_sns_topic_arns) == 1
      ]),
    ])
    error_message = "the budget notifies the recipients of alarms"
  }

  assert {
    condition     = aws_s3_bucket.images.bucket == "scans-of-the-museum"
    error_message = "the bucket has the given name"
  }

  assert {
    condition = alltrue([
      length(aws_s3_bucket_notification.images.queue) == 1,
      aws_s3_bucket_notification.images.queue[0].filter_prefix == "scans/raw/",
      aws_s3_bucket_notification.images.queue[0].filter_suffix == "",
    ])
    error_message = "without suffixes, all objects below the input prefix are analysed"
  }

  assert {
    condition     = aws_s3_bucket_lifecycle_configuration.images.rule[2].filter[0].prefix == "scans/spectra/"
    error_message = "only results expire"
  }

  assert {
    condition     = aws_lambda_function.analyse[0].environment[0].variables.FFT_RECIPE == "bits=16 window=hann"
    error_message = "the recipe is passed to the function"
  }

  assert {
    condition     = aws_lambda_function.analyse[0].tags == tomap({ Department = "Prints", Project = "scans" })
    error_message = "resources have the given tags and Project"
  }

  assert {
    condition     = length(aws_sns_topic_subscription.alarms) == 2
    error_message = "each address is subscribed"
  }

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.this["errors"].alarm_actions) == 2
    error_message = "alarms go to both the new and the existing topic"
  }

  assert {
    condition     = output.dashboard_url == null
    error_message = "without a dashboard there is no address of it"
  }
}

run "without_alarms" {
  command = apply

  variables {
    alarms = false
  }

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.this) == 0 && length(aws_sns_topic.alarms) == 0
    error_message = "there are no alarms and no topic"
  }
}
