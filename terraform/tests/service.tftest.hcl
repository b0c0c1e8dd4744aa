# The HTTP service: nothing by default, a table that is kept and encrypted if it is enabled.

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

  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:eu-central-1:123456789012:fft-pipeline" }
  }

  mock_resource "aws_dynamodb_table" {
    defaults = { arn = "arn:aws:dynamodb:eu-central-1:123456789012:table/fft-pipeline-rate-limit" }
  }

  mock_resource "aws_iam_policy" {
    defaults = { arn = "arn:aws:iam::123456789012:policy/fft-pipeline-rate-limit" }
  }
}

run "nothing_by_default" {
  command = apply

  assert {
    condition     = length(aws_dynamodb_table.rate_limit) == 0 && length(aws_iam_policy.rate_limit) == 0
    error_message = "The service should have no resources unless it is enabled."
  }

  assert {
    condition     = output.rate_table == null && output.rate_table_policy_arn == null
    error_message = "Without a table there should be no name of one."
  }
}

run "a_table_that_is_kept" {
  command = apply

  variables {
    service_enabled = true
  }

  assert {
    condition = alltrue([
      aws_dynamodb_table.rate_limit[0].name == "fft-pipeline-rate-limit",
      aws_dynamodb_table.rate_limit[0].billing_mode == "PAY_PER_REQUEST",
      aws_dynamodb_table.rate_limit[0].hash_key == "ip_address",
      aws_dynamodb_table.rate_limit[0].ttl[0].enabled,
      aws_dynamodb_table.rate_limit[0].ttl[0].attribute_name == "expires_at",
      aws_dynamodb_table.rate_limit[0].server_side_encryption[0].enabled,
      aws_dynamodb_table.rate_limit[0].point_in_time_recovery[0].enabled,
      aws_dynamodb_table.rate_limit[0].deletion_protection_enabled,
    ])
    error_message = "The table should be on demand, expire its items, and be encrypted, recoverable and protected."
  }

  assert {
    condition     = output.rate_table == "fft-pipeline-rate-limit"
    error_message = "The output should name the table."
  }

  assert {
    condition = jsondecode(aws_iam_policy.rate_limit[0].policy).Statement == [{
      Action   = ["dynamodb:GetItem", "dynamodb:UpdateItem"]
      Effect   = "Allow"
      Resource = "arn:aws:dynamodb:eu-central-1:123456789012:table/fft-pipeline-rate-limit"
    }]
    error_message = "The service should be allowed to read and update items of its table, nothing else."
  }
}

run "a_table_that_may_go" {
  command = apply

  variables {
    service_enabled             = true
    service_deletion_protection = false
  }

  assert {
    condition     = !aws_dynamodb_table.rate_limit[0].deletion_protection_enabled
    error_message = "Deletion protection should follow its variable."
  }
}
