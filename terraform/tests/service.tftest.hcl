# The HTTP service: nothing by default, a table that is kept and encrypted if it is enabled.

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_data "aws_region" {
    defaults = { region = "eu-central-1", id = "eu-central-1" }
  }

  mock_resource "aws_ecr_repository" {
    defaults = { repository_url = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/fft-pipeline" }
  }

  mock_resource "aws_lambda_function" {
    defaults = {
      arn        = "arn:aws:lambda:eu-central-1:123456789012:function:fft-pipeline-service-api"
      invoke_arn = "arn:aws:apigateway:eu-central-1:lambda:path/2015-03-31/functions/f/invocations"
    }
  }

  mock_resource "aws_apigatewayv2_api" {
    defaults = {
      id            = "a1b2c3"
      api_endpoint  = "https://a1b2c3.execute-api.eu-central-1.amazonaws.com"
      execution_arn = "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3"
    }
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

run "no_functions_unless_they_are_asked_for" {
  command = apply

  variables {
    service_enabled = true
  }

  assert {
    condition = alltrue([
      length(aws_lambda_function.service) == 0,
      length(aws_apigatewayv2_api.service) == 0,
      length(aws_apigatewayv2_route.service) == 0,
      length(aws_scheduler_schedule.service) == 0,
      length(aws_cloudwatch_metric_alarm.service) == 0,
      output.service_url == null,
    ])
    error_message = "what is not asked for must not exist, and so must not cost anything"
  }
}

run "a_service_behind_an_http_api" {
  command = apply

  variables {
    service_enabled             = true
    service_api_enabled         = true
    service_image_digest        = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    service_secret_arn          = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:service-AbCdEf"
    service_requests_per_second = 7
  }

  assert {
    condition = alltrue([
      toset(keys(aws_lambda_function.service)) == toset(["api", "work"]),
      aws_lambda_function.service["api"].image_config[0].command == tolist(["service.lambda_entry.handle"]),
      aws_lambda_function.service["work"].image_config[0].command == tolist(["service.lambda_entry.work"]),
      aws_lambda_function.service["api"].timeout == 30,
      aws_lambda_function.service["work"].reserved_concurrent_executions == 2,
      length(aws_lambda_function.service["api"].vpc_config) == 0,
      aws_lambda_function.service["api"].environment[0].variables.RATE_TABLE == "fft-pipeline-rate-limit",
    ])
    error_message = "one function for requests, and one for jobs"
  }

  assert {
    condition = alltrue([
      aws_apigatewayv2_stage.service[0].default_route_settings[0].throttling_rate_limit == 7,
      aws_apigatewayv2_stage.service[0].default_route_settings[0].throttling_burst_limit == 14,
      length(aws_apigatewayv2_route.service) == 11,
      output.service_url == "https://a1b2c3.execute-api.eu-central-1.amazonaws.com",
    ])
    error_message = "an HTTP API that throttles"
  }

  assert {
    condition     = !contains(keys(aws_apigatewayv2_route.service), "ANY /images/{proxy+}")
    error_message = "product images would be lost with the instance that made them"
  }

  assert {
    condition = alltrue([
      aws_scheduler_schedule.service["work"].schedule_expression == "rate(1 minute)",
      jsondecode(aws_scheduler_schedule.service["sweep"].target[0].input) == { sweep = true },
    ])
    error_message = "jobs whose call was lost are found within a minute"
  }
}

run "product_images_in_a_file_system" {
  command = apply

  variables {
    service_enabled            = true
    service_api_enabled        = true
    service_image_digest       = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    service_secret_arn         = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:service-AbCdEf"
    service_subnet_ids         = ["subnet-0123456789abcdef0"]
    service_security_group_ids = ["sg-0123456789abcdef0"]
    service_access_point_arn   = "arn:aws:elasticfilesystem:eu-central-1:123456789012:access-point/fsap-0123456789abcdef0"
  }

  assert {
    condition = alltrue([
      for function in aws_lambda_function.service :
      function.file_system_config[0].local_mount_path == function.environment[0].variables.PROCESSED_IMAGES
    ])
    error_message = "both functions see the folder of the results"
  }

  assert {
    condition     = contains(keys(aws_apigatewayv2_route.service), "ANY /images/{proxy+}")
    error_message = "the API has the routes of product images"
  }

  assert {
    condition     = length(aws_iam_role_policy_attachment.service_in_vpc) == 2
    error_message = "functions in a network may make its interfaces"
  }
}
