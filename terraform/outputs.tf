locals {
  console = lookup({
    aws-cn     = "console.amazonaws.cn"
    aws-us-gov = "console.amazonaws-us-gov.com"
  }, local.partition, "console.aws.amazon.com")

  cloudwatch = "https://${local.region}.${local.console}/cloudwatch/home"

  input_url  = "s3://${aws_s3_bucket.images.id}/${var.input_prefix}"
  output_url = "s3://${aws_s3_bucket.images.id}/${var.output_prefix}"

  # Commands name the region, since they may be run where a different one is the default.
  here = "--region ${local.region}"
}

output "bucket" {
  description = "Name of the bucket."
  value       = aws_s3_bucket.images.id
}

output "input" {
  description = "Where to upload images."
  value       = local.input_url
}

output "output" {
  description = "Where results appear."
  value       = local.output_url
}

output "repository" {
  description = "Name of the container repository."
  value       = aws_ecr_repository.function.name
}

output "repository_url" {
  description = "URL of the repository, to push images to."
  value       = aws_ecr_repository.function.repository_url
}

output "image_digest" {
  description = "Digest of the deployed image; null if there is none."
  value       = var.image_digest
}

output "function" {
  description = "Name of the function; null if there is none yet."
  value       = one(aws_lambda_function.analyse[*].function_name)
}

output "function_arn" {
  description = "ARN of the function, needed for S3 Batch Operations; null if there is none yet."
  value       = one(aws_lambda_function.analyse[*].arn)
}

output "log_group" {
  description = "Name of the function's log group."
  value       = aws_cloudwatch_log_group.function.name
}

output "queue_url" {
  description = "URL of the queue between the bucket and the function."
  value       = aws_sqs_queue.work.id
}

output "dead_letter_queue_url" {
  description = "URL of the queue of objects that failed every attempt."
  value       = aws_sqs_queue.dead_letters.id
}

output "failed_calls_queue_url" {
  description = "URL of the queue of asynchronous calls that bypassed the queue and failed."
  value       = aws_sqs_queue.failed_calls.id
}

output "alarm_topic_arn" {
  description = "ARN of the topic that alarm_emails are subscribed to; null if there are none."
  value       = one(aws_sns_topic.alarms[*].arn)
}

output "dashboard_url" {
  description = "Address of the dashboard; null if there is none."
  value = (
    var.dashboard
    ? "${local.cloudwatch}?region=${local.region}#dashboards/dashboard/${local.name_in_region}"
    : null
  )
}

output "workflow_input" {
  description = "Where to upload images for the workflow; null if it is not enabled."
  value       = var.workflow_enabled ? "s3://${aws_s3_bucket.images.id}/${var.workflow_prefix}" : null
}

output "workflow_state_machine_arn" {
  description = "ARN of the workflow's state machine; null if there is none."
  value       = one(aws_sfn_state_machine.workflow[*].arn)
}

output "workflow_failed_starts_queue_url" {
  description = "URL of the queue of uploads whose workflow could not be started; null if there is none."
  value       = one(aws_sqs_queue.workflow_starts[*].id)
}

output "workflow_topic_arn" {
  description = "ARN of the topic that is told of outcomes; null if there is none."
  value       = one(local.workflow_topic)
}

# Commands to run in the folder of the repository.

output "drop_command" {
  description = "Uploads one of the sample images."
  value       = "aws s3 cp input_images/text.png ${local.input_url} ${local.here}"
}

output "results_command" {
  description = "Lists the results."
  value       = "aws s3 ls --recursive ${local.output_url} ${local.here}"
}

output "tail_command" {
  description = "Follows the log."
  value       = "aws logs tail ${aws_cloudwatch_log_group.function.name} --follow ${local.here}"
}

output "redrive_command" {
  description = "Moves the dead letters back to the queue."
  value = join(" ", [
    "aws sqs start-message-move-task --source-arn", aws_sqs_queue.dead_letters.arn, local.here
  ])
}

output "batches_url" {
  description = "Where to upload the jobs of batches: a folder for each; null if there are none."
  value       = local.batches ? "s3://${aws_s3_bucket.images.id}/${var.batches_prefix}" : null
}

output "batches_topic_arn" {
  description = "ARN of the topic that is told of published jobs; null if there is none."
  value       = one(aws_sns_topic.batches[*].arn)
}

output "database_endpoint" {
  description = "Host and port of the database, inside its VPC; null if there is none."
  value       = one(aws_db_instance.rows[*].endpoint)
}

output "backfill" {
  description = "What `fft-tool backfill --terraform terraform` reads; null if it is not enabled."
  value = local.backfill ? {
    state_machine = one(aws_sfn_state_machine.backfill[*].arn)
    function      = one(aws_lambda_function.analyse[*].arn)
    role          = one(aws_iam_role.batch_operations[*].arn)
  } : null
}

output "rate_table" {
  description = "Name of the table of the service's rate limit, its RATE_TABLE; null if there is none."
  value       = one(aws_dynamodb_table.rate_limit[*].name)
}

output "rate_table_policy_arn" {
  description = "ARN of the policy for whatever runs the service; null if there is none."
  value       = one(aws_iam_policy.rate_limit[*].arn)
}

output "service_url" {
  description = "Address of the service; null if there is none."
  value       = one(aws_apigatewayv2_api.service[*].api_endpoint)
}
