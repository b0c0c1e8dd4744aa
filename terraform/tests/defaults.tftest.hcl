# What comes of the defaults, without an account: everything that AWS would say is made up here.

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
    error_message = "there is nothing that the function could be made of"
  }

  assert {
    condition     = output.repository_url == "123456789012.dkr.ecr.eu-central-1.amazonaws.com/fft-pipeline"
    error_message = "the repository has to be there before the image is"
  }

  assert {
    condition     = output.bucket == "fft-pipeline-123456789012-eu-central-1"
    error_message = "a bucket's name is unique by account and region"
  }

  assert {
    condition     = length(aws_s3_bucket_notification.images.queue) == 14
    error_message = "seven suffixes, in lower and upper case"
  }
}

run "the_bucket_is_closed_and_kept" {
  command = apply

  assert {
    condition     = !aws_s3_bucket.images.force_destroy
    error_message = "images are deleted only if somebody says so"
  }

  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.images.block_public_acls,
      aws_s3_bucket_public_access_block.images.block_public_policy,
      aws_s3_bucket_public_access_block.images.ignore_public_acls,
      aws_s3_bucket_public_access_block.images.restrict_public_buckets,
    ])
    error_message = "nothing is public"
  }

  assert {
    condition     = jsondecode(aws_s3_bucket_policy.images.policy).Statement[0].Condition.Bool["aws:SecureTransport"] == "false"
    error_message = "what does not come over TLS is denied"
  }

  assert {
    condition = jsondecode(aws_s3_bucket_policy.images.policy).Statement[1].Condition.ArnNotLike["aws:PrincipalArn"] == [
      "arn:aws:iam::123456789012:role/fft-pipeline",
      "arn:aws:iam::123456789012:root",
    ]
    error_message = "nobody but the function and the account's root writes results"
  }

  assert {
    condition     = length(aws_s3_bucket_lifecycle_configuration.images.rule) == 2
    error_message = "results stay unless an expiry is given"
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
    error_message = "the queue takes messages of this bucket, in this account"
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
    error_message = "every queue denies what does not come over TLS"
  }
}

run "with_an_image_there_is_a_function" {
  command = apply

  variables {
    image_digest = var.digest
  }

  assert {
    condition     = aws_lambda_function.analyse[0].image_uri == "123456789012.dkr.ecr.eu-central-1.amazonaws.com/fft-pipeline@${var.digest}"
    error_message = "the function is this very image, not a tag that could move"
  }

  assert {
    condition     = aws_lambda_event_source_mapping.work[0].function_response_types == toset(["ReportBatchItemFailures"])
    error_message = "one object that fails must not bring back the others"
  }

  assert {
    condition     = aws_sqs_queue.work.visibility_timeout_seconds == 6 * aws_lambda_function.analyse[0].timeout
    error_message = "a message stays hidden for six timeouts"
  }

  assert {
    condition = alltrue([
      for statement in jsondecode(aws_iam_role_policy.function.policy).Statement :
      !strcontains(jsonencode(statement.Action), "*") && statement.Resource != "*"
    ])
    error_message = "no right is wider than it has to be"
  }

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.this) == 7 && length(aws_cloudwatch_dashboard.this) == 1
    error_message = "there are alarms and a dashboard"
  }

  assert {
    condition     = aws_lambda_function.analyse[0].environment[0].variables.FFT_BUCKET == "fft-pipeline-123456789012-eu-central-1"
    error_message = "the function works for this bucket alone"
  }

  assert {
    condition     = length(aws_budgets_budget.account) == 0 && aws_iam_role.function.permissions_boundary == null
    error_message = "a budget and a boundary are optional"
  }

  assert {
    condition     = can(jsondecode(aws_cloudwatch_dashboard.this[0].dashboard_body).widgets[6])
    error_message = "the dashboard has its graphs and its table"
  }
}

run "every_wish_is_heeded" {
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
    error_message = "administrators may write results"
  }

  assert {
    condition     = aws_iam_role.function.permissions_boundary == "arn:aws:iam::123456789012:policy/boundary"
    error_message = "the role has its boundary"
  }

  assert {
    condition = alltrue([
      aws_lambda_function.analyse[0].environment[0].variables.FFT_METADATA_KEYS == "channel,pixel-size",
      aws_lambda_function.analyse[0].environment[0].variables.FFT_FORMATS == "png,tiff",
      aws_lambda_function.analyse[0].environment[0].variables.FFT_MAX_OUTPUT_BYTES == "500000000",
    ])
    error_message = "the function is told what metadata may set, and how much a source may leave behind"
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
        for told in aws_budgets_budget.account[0].notification :
        length(told.subscriber_email_addresses) == 2 && length(told.subscriber_sns_topic_arns) == 1
      ]),
    ])
    error_message = "those who are told of alarms are told of the budget"
  }

  assert {
    condition     = aws_s3_bucket.images.bucket == "scans-of-the-museum"
    error_message = "the bucket has the name that was given"
  }

  assert {
    condition = alltrue([
      length(aws_s3_bucket_notification.images.queue) == 1,
      aws_s3_bucket_notification.images.queue[0].filter_prefix == "scans/raw/",
      aws_s3_bucket_notification.images.queue[0].filter_suffix == "",
    ])
    error_message = "without suffixes everything below the input prefix is analysed"
  }

  assert {
    condition     = aws_s3_bucket_lifecycle_configuration.images.rule[2].filter[0].prefix == "scans/spectra/"
    error_message = "only results expire"
  }

  assert {
    condition     = aws_lambda_function.analyse[0].environment[0].variables.FFT_RECIPE == "bits=16 window=hann"
    error_message = "the function is told the recipe"
  }

  assert {
    condition     = aws_lambda_function.analyse[0].tags == tomap({ Department = "Prints", Project = "scans" })
    error_message = "tags are the given ones and the project"
  }

  assert {
    condition     = length(aws_sns_topic_subscription.alarms) == 2
    error_message = "each address is told"
  }

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.this["errors"].alarm_actions) == 2
    error_message = "alarms go to the topic with the addresses and to the one that is there already"
  }

  assert {
    condition     = output.dashboard_url == null
    error_message = "without a dashboard it has no address"
  }
}

run "without_alarms" {
  command = apply

  variables {
    alarms = false
  }

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.this) == 0 && length(aws_sns_topic.alarms) == 0
    error_message = "there is no alarm, and nobody to be told"
  }
}
