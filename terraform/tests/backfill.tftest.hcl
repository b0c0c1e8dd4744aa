# Backfills: nothing by default, everything that they need if they are enabled.

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_data "aws_region" {
    defaults = { id = "eu-central-1", region = "eu-central-1" }
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
    defaults = { arn = "arn:aws:states:eu-central-1:123456789012:stateMachine:fft-pipeline-backfill" }
  }

  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:eu-central-1:123456789012:fft-pipeline" }
  }
}

variables {
  image_digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
}

run "nothing_by_default" {
  command = apply

  assert {
    condition = alltrue([
      length(aws_lambda_function.scan) == 0,
      length(aws_iam_role.scan) == 0,
      length(aws_iam_role.backfill_machine) == 0,
      length(aws_iam_role.batch_operations) == 0,
      length(aws_iam_role_policy.skip_existing) == 0,
      length(aws_sfn_state_machine.backfill) == 0,
      length(aws_cloudwatch_log_group.backfill) == 0,
      output.backfill == null,
    ])
    error_message = "without backfill_enabled there is nothing of it"
  }
}

run "everything_if_enabled" {
  command = apply

  variables {
    backfill_enabled = true
    output_prefix    = "results/"
  }

  assert {
    condition     = output.backfill.state_machine == one(aws_sfn_state_machine.backfill[*].arn)
    error_message = "the output names the state machine"
  }

  assert {
    condition     = one(aws_lambda_function.scan[*].image_config[0].command[0]) == "handler.scan_entry.scan"
    error_message = "the scan is the same image with another command"
  }

  assert {
    condition = alltrue([
      for machine in aws_sfn_state_machine.backfill :
      jsondecode(machine.definition).States.Done.Parameters.output_prefix == "results/"
    ])
    error_message = "the state machine says where the parts are"
  }

  assert {
    condition = alltrue([
      for role in aws_iam_role.batch_operations : alltrue([
        for statement in jsondecode(role.assume_role_policy).Statement :
        statement.Principal.Service == "batchoperations.s3.amazonaws.com"
        && statement.Condition.StringEquals["aws:SourceAccount"] == "123456789012"
      ])
    ])
    error_message = "only S3 Batch Operations of this account assumes the role"
  }
}

run "without_an_image_nothing_is_called" {
  command = apply

  variables {
    backfill_enabled = true
    image_digest     = null
  }

  assert {
    condition     = length(aws_sfn_state_machine.backfill) == 0 && output.backfill == null
    error_message = "without an image there is nothing to call"
  }
}
