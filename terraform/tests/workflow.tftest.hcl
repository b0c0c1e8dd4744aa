# The workflow: nothing by default, everything that it needs if it is enabled.

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
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

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/fft-pipeline" }
  }

  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-central-1:123456789012:log-group:/aws/lambda/fft-pipeline" }
  }

  mock_resource "aws_lambda_function" {
    defaults = { arn = "arn:aws:lambda:eu-central-1:123456789012:function:fft-pipeline" }
  }

  mock_resource "aws_sfn_state_machine" {
    defaults = { arn = "arn:aws:states:eu-central-1:123456789012:stateMachine:fft-pipeline-workflow" }
  }

  mock_resource "aws_cloudwatch_event_rule" {
    defaults = { arn = "arn:aws:events:eu-central-1:123456789012:rule/fft-pipeline-workflow" }
  }

  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:eu-central-1:123456789012:fft-pipeline-workflow" }
  }
}

variables {
  image_digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
}

run "nothing_by_default" {
  command = apply

  assert {
    condition = alltrue([
      length(aws_lambda_function.workflow) == 0,
      length(aws_iam_role.workflow) == 0,
      length(aws_sfn_state_machine.workflow) == 0,
      length(aws_cloudwatch_event_rule.workflow) == 0,
      length(aws_sqs_queue.workflow_starts) == 0,
      length(aws_sns_topic.workflow) == 0,
      length(aws_cloudwatch_metric_alarm.this) == 7,
      output.workflow_input == null && output.workflow_state_machine_arn == null,
    ])
    error_message = "there is no workflow by default"
  }

  assert {
    condition     = !aws_s3_bucket_notification.images.eventbridge
    error_message = "the bucket sends nothing to EventBridge by default"
  }
}

run "enabled_without_an_image" {
  command = apply

  variables {
    workflow_enabled = true
    image_digest     = null
  }

  assert {
    condition     = length(aws_lambda_function.workflow) == 0 && length(aws_sfn_state_machine.workflow) == 0
    error_message = "without an image there are no functions, and nothing that calls them"
  }
}

run "enabled" {
  command = apply

  variables {
    workflow_enabled              = true
    workflow_prefix               = "scans/workflow/"
    workflow_memory_mb            = 4096
    workflow_timeout_seconds      = 300
    workflow_reserved_concurrency = 20
    workflow_emails               = ["keeper@example.org"]
  }

  assert {
    condition = alltrue([
      for step, function in aws_lambda_function.workflow :
      one(function.image_config[0].command) == "handler.workflow_entry.${step}"
    ])
    error_message = "each step is a function of the same image with its own command"
  }

  assert {
    condition = alltrue([
      aws_lambda_function.workflow["process"].memory_size == 4096,
      aws_lambda_function.workflow["process"].reserved_concurrent_executions == 20,
      aws_lambda_function.workflow["plan"].memory_size == 512,
      aws_lambda_function.workflow["plan"].timeout == 300,
      aws_lambda_function.workflow["plan"].environment[0].variables.FFT_WORKFLOW_PREFIX == "scans/workflow/",
      length(aws_lambda_function.workflow) == 5,
    ])
    error_message = "steps that decode images have the memory and the concurrency"
  }

  assert {
    condition     = aws_s3_bucket_notification.images.eventbridge && length(aws_s3_bucket_notification.images.queue) == 28
    error_message = "the bucket sends to EventBridge, beside the queue"
  }

  assert {
    condition     = jsondecode(aws_cloudwatch_event_rule.workflow[0].event_pattern).detail.object.key[0].prefix == "scans/workflow/"
    error_message = "only uploads below the prefix start it"
  }

  assert {
    condition     = !strcontains(aws_sfn_state_machine.workflow[0].definition, "{plan}")
    error_message = "the definition has all its values"
  }

  assert {
    condition = alltrue([
      aws_sfn_state_machine.workflow[0].tracing_configuration[0].enabled,
      aws_sfn_state_machine.workflow[0].logging_configuration[0].level == "ALL",
    ])
    error_message = "it is traced and logged"
  }

  assert {
    condition     = one(jsondecode(aws_iam_role_policy.workflow_machine[0].policy).Statement[3].Resource) == output.workflow_topic_arn
    error_message = "it may publish to its topic only"
  }

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.this) == 10
    error_message = "failed executions and failed starts have alarms"
  }

  assert {
    condition     = output.workflow_input == "s3://fft-pipeline-123456789012-eu-central-1/scans/workflow/"
    error_message = "the outputs say where to upload"
  }
}

run "with_a_topic_of_somebody_else" {
  command = apply

  variables {
    workflow_enabled   = true
    workflow_topic_arn = "arn:aws:sns:eu-central-1:123456789012:everything"
  }

  assert {
    condition = alltrue([
      output.workflow_topic_arn == "arn:aws:sns:eu-central-1:123456789012:everything",
      length(aws_sns_topic.workflow) == 0,
      jsondecode(aws_sfn_state_machine.workflow[0].definition).States.Finish.ResultSelector.topic == output.workflow_topic_arn,
    ])
    error_message = "outcomes go to the given topic"
  }
}

run "without_a_topic" {
  command = apply

  variables {
    workflow_enabled = true
  }

  assert {
    condition = alltrue([
      output.workflow_topic_arn == null,
      jsondecode(aws_sfn_state_machine.workflow[0].definition).States.Finish.ResultSelector.topic == "",
      !strcontains(aws_iam_role_policy.workflow_machine[0].policy, "sns:"),
    ])
    error_message = "nobody is told, and it may tell nobody"
  }
}
