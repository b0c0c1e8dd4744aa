# What batches and their database consist of, with a mock provider and therefore without an account.

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

  mock_data "aws_availability_zones" {
    defaults = { names = ["eu-central-1a", "eu-central-1b", "eu-central-1c"] }
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
    defaults = { arn = "arn:aws:sns:eu-central-1:123456789012:fft-pipeline-batches" }
  }

  mock_resource "aws_sfn_state_machine" {
    defaults = { arn = "arn:aws:states:eu-central-1:123456789012:stateMachine:fft-pipeline-batches" }
  }

  mock_resource "aws_db_instance" {
    defaults = { endpoint = "rows.example.eu-central-1.rds.amazonaws.com:5432" }
  }

  mock_resource "aws_secretsmanager_secret" {
    defaults = { arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:ca-AbCdEf" }
  }
}

variables {
  image_digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
}

run "nothing_of_batches_exists_unless_asked_for" {
  command = apply

  assert {
    condition = alltrue([
      length(aws_lambda_function.batches) == 0,
      length(aws_iam_role.batches) == 0,
      length(aws_sfn_state_machine.batches) == 0,
      length(aws_scheduler_schedule.batches) == 0,
      length(aws_sqs_queue.batches) == 0,
      length(aws_sns_topic.batches) == 0,
      length(aws_cloudwatch_event_rule.batches) == 0,
      length(aws_cloudwatch_metric_alarm.batches) == 0,
      length(aws_db_instance.rows) == 0,
      length(aws_vpc.database) == 0,
    ])
    error_message = "what is not asked for must not exist, and so must not cost anything"
  }

  assert {
    condition     = !local.eventbridge && length(local.batch_writers) == 0
    error_message = "the bucket is as it is without batches"
  }
}

run "batches_consist_of_functions_a_state_machine_and_what_starts_them" {
  command = apply

  variables {
    batches_enabled       = true
    batches_sweep_minutes = 1
    batches_emails        = ["keeper@example.org"]
  }

  assert {
    condition     = toset(keys(aws_lambda_function.batches)) == toset(["sweep", "detect", "count", "publish"])
    error_message = "a function for each step"
  }

  assert {
    condition = alltrue([
      for name, function in aws_lambda_function.batches :
      function.image_config[0].command == tolist(["handler.batches_entry.${name}"])
      && length(function.vpc_config) == 0
    ])
    error_message = "the same image by another command, and no VPC without a database"
  }

  assert {
    condition     = aws_scheduler_schedule.batches[0].schedule_expression == "rate(1 minute)"
    error_message = "one minute is singular"
  }

  assert {
    condition     = jsondecode(aws_scheduler_schedule.batches[0].target[0].input).bucket == output.bucket
    error_message = "the sweep is of the bucket"
  }

  assert {
    condition     = aws_s3_bucket_notification.images.eventbridge
    error_message = "the bucket tells EventBridge of uploads"
  }

  assert {
    condition     = aws_cloudwatch_event_target.batches[0].dead_letter_config[0].arn != null
    error_message = "events that cannot be delivered are kept"
  }

  assert {
    condition     = jsondecode(aws_sfn_state_machine.batches[0].definition).States.Notify.Parameters.TopicArn == aws_sns_topic.batches[0].arn
    error_message = "the state machine notifies the topic"
  }

  assert {
    condition     = length(local.batch_writers) == 4
    error_message = "detect, count, publish and the state machine write results; the sweep does not"
  }

  assert {
    condition     = length(aws_sns_topic_subscription.batches) == 1 && length(aws_db_instance.rows) == 0
    error_message = "the address is subscribed; there is no database unless asked for"
  }
}

run "a_database_lies_in_a_network_of_its_own" {
  command = apply

  variables {
    batches_enabled  = true
    database_enabled = true
  }

  assert {
    condition = alltrue([
      aws_db_instance.rows[0].storage_encrypted,
      aws_db_instance.rows[0].manage_master_user_password,
      aws_db_instance.rows[0].deletion_protection,
      !aws_db_instance.rows[0].publicly_accessible,
      !aws_db_instance.rows[0].skip_final_snapshot,
    ])
    error_message = "encrypted, protected, not public, with a password that Terraform does not know"
  }

  assert {
    condition = anytrue([
      for parameter in aws_db_parameter_group.rows[0].parameter :
      parameter.name == "rds.force_ssl" && parameter.value == "1"
    ])
    error_message = "only over TLS"
  }

  assert {
    condition = (
      length(aws_subnet.database) == 2
      && toset(aws_subnet.database[*].cidr_block) == toset(["10.77.0.0/25", "10.77.0.128/25"])
      && length(toset(aws_subnet.database[*].availability_zone)) == 2
    )
    error_message = "two subnets in two zones"
  }

  assert {
    condition = (
      aws_vpc_security_group_ingress_rule.database_from_publish[0].from_port == 5432
      && aws_vpc_security_group_ingress_rule.database_from_publish[0].cidr_ipv4 == null
    )
    error_message = "only members of the function's group may connect"
  }

  assert {
    condition = alltrue([
      for name, function in aws_lambda_function.batches :
      length(function.vpc_config) == (name == "publish" ? 1 : 0)
      && contains(keys(function.environment[0].variables), "DATABASE_URL") == (name == "publish")
    ])
    error_message = "only the function that writes rows is in the network"
  }

  assert {
    condition     = endswith(aws_lambda_function.batches["publish"].environment[0].variables.DATABASE_URL, "/fft?sslmode=require")
    error_message = "over TLS, without the certificates of RDS not verified"
  }
}

run "with_the_certificates_of_rds_the_database_is_verified" {
  command = apply

  variables {
    batches_enabled    = true
    database_enabled   = true
    database_ca_bundle = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
  }

  assert {
    condition = alltrue([
      endswith(aws_lambda_function.batches["publish"].environment[0].variables.DATABASE_URL, "sslmode=verify-full"),
      aws_lambda_function.batches["publish"].environment[0].variables.DATABASE_CA_SECRET_ARN != "",
    ])
    error_message = "the function knows where the certificates are"
  }
}

run "a_database_in_a_vpc_that_exists" {
  command = apply

  variables {
    batches_enabled              = true
    database_enabled             = true
    database_deletion_protection = false
    database_vpc_id              = "vpc-0123456789abcdef0"
    database_subnet_ids          = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
  }

  assert {
    condition = (
      length(aws_vpc.database) == 0 && length(aws_vpc_endpoint.secrets) == 0
      && aws_db_subnet_group.rows[0].subnet_ids == toset(var.database_subnet_ids)
    )
    error_message = "no other network is created"
  }

  assert {
    condition     = !aws_db_instance.rows[0].deletion_protection
    error_message = "it may be deleted"
  }
}
