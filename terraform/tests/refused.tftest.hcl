# Every invalid value of a variable is refused before anything is planned.

mock_provider "aws" {}

run "a_name_in_capitals" {
  command = plan

  variables {
    name = "FFT"
  }

  expect_failures = [var.name]
}

run "a_name_that_is_too_long" {
  command = plan

  variables {
    name = "a-name-that-is-longer-than-a-name-may-be"
  }

  expect_failures = [var.name]
}

run "a_name_with_a_line_break" {
  command = plan

  variables {
    name = "a\nb"
  }

  expect_failures = [var.name]
}

run "a_tag_that_aws_reserves" {
  command = plan

  variables {
    tags = { "aws:owner" = "me" }
  }

  expect_failures = [var.tags]
}

run "a_bucket_with_a_capital" {
  command = plan

  variables {
    bucket_name = "Images"
  }

  expect_failures = [var.bucket_name]
}

run "a_bucket_name_that_s3_reserves" {
  command = plan

  variables {
    bucket_name = "images-s3alias"
  }

  expect_failures = [var.bucket_name]
}

run "a_session_as_administrator" {
  command = plan

  variables {
    administrators = ["arn:aws:sts::123456789012:assumed-role/admin/me"]
  }

  expect_failures = [var.administrators]
}

run "everyone_as_administrator" {
  command = plan

  variables {
    administrators = ["arn:aws:iam::123456789012:role/*"]
  }

  expect_failures = [var.administrators]
}

run "an_input_that_is_not_a_folder" {
  command = plan

  variables {
    input_prefix = "input"
  }

  expect_failures = [var.input_prefix]
}

run "an_input_that_is_the_whole_bucket" {
  command = plan

  variables {
    input_prefix = ""
  }

  expect_failures = [var.input_prefix]
}

run "an_input_with_a_wildcard" {
  command = plan

  variables {
    input_prefix = "in*/"
  }

  expect_failures = [var.input_prefix]
}

run "an_output_that_begins_with_a_slash" {
  command = plan

  variables {
    output_prefix = "/output/"
  }

  expect_failures = [var.output_prefix]
}

run "an_output_inside_the_input" {
  command = plan

  variables {
    input_prefix  = "images/"
    output_prefix = "images/output/"
  }

  expect_failures = [var.output_prefix]
}

run "an_input_inside_the_output" {
  command = plan

  variables {
    input_prefix  = "images/input/"
    output_prefix = "images/"
  }

  expect_failures = [var.output_prefix]
}

run "an_input_that_is_the_output" {
  command = plan

  variables {
    input_prefix  = "images/"
    output_prefix = "images/"
  }

  expect_failures = [var.output_prefix]
}

run "a_suffix_with_a_wildcard" {
  command = plan

  variables {
    suffixes = ["*.png"]
  }

  expect_failures = [var.suffixes]
}

run "suffixes_that_overlap" {
  command = plan

  variables {
    suffixes = [".png", "_small.PNG"]
  }

  expect_failures = [var.suffixes]
}

run "old_versions_for_zero_days" {
  command = plan

  variables {
    noncurrent_days = 0
  }

  expect_failures = [var.noncurrent_days]
}

run "old_versions_for_half_a_day" {
  command = plan

  variables {
    noncurrent_days = 0.5
  }

  expect_failures = [var.noncurrent_days]
}

run "results_that_expire_at_once" {
  command = plan

  variables {
    output_expiry_days = 0
  }

  expect_failures = [var.output_expiry_days]
}

run "access_logs_to_an_arn" {
  command = plan

  variables {
    access_log_bucket = "arn:aws:s3:::logs"
  }

  expect_failures = [var.access_log_bucket]
}

run "access_logs_into_the_bucket_itself" {
  command = plan

  variables {
    bucket_name       = "images"
    access_log_bucket = "images"
  }

  expect_failures = [var.access_log_bucket]
}

run "a_digest_that_is_a_tag" {
  command = plan

  variables {
    image_digest = "latest"
  }

  expect_failures = [var.image_digest]
}

run "a_digest_that_is_too_short" {
  command = plan

  variables {
    image_digest = "sha256:abc"
  }

  expect_failures = [var.image_digest]
}

run "an_unknown_architecture" {
  command = plan

  variables {
    architecture = "amd64"
  }

  expect_failures = [var.architecture]
}

run "less_memory_than_lambda_allows" {
  command = plan

  variables {
    memory_mb  = 64
    max_pixels = 1
  }

  expect_failures = [var.memory_mb]
}

run "half_a_megabyte" {
  command = plan

  variables {
    memory_mb = 1769.5
  }

  expect_failures = [var.memory_mb]
}

run "too_little_memory_for_the_pixels" {
  command = plan

  variables {
    max_pixels = 300000000
  }

  expect_failures = [var.memory_mb]
}

run "too_little_memory_for_16_bits" {
  command = plan

  variables {
    recipe = "window=hann bits=16"
  }

  expect_failures = [var.memory_mb]
}

run "a_timeout_that_is_too_short" {
  command = plan

  variables {
    timeout_seconds = 20
  }

  expect_failures = [var.timeout_seconds]
}

run "a_timeout_that_is_too_long" {
  command = plan

  variables {
    timeout_seconds        = 901
    oldest_message_seconds = 10000
  }

  expect_failures = [var.timeout_seconds]
}

run "a_boundary_that_is_a_name" {
  command = plan

  variables {
    permissions_boundary = "boundary"
  }

  expect_failures = [var.permissions_boundary]
}

run "no_concurrency" {
  command = plan

  variables {
    reserved_concurrency = 1
    maximum_concurrency  = 2
  }

  expect_failures = [var.reserved_concurrency]
}

run "less_concurrency_than_the_queue_uses" {
  command = plan

  variables {
    reserved_concurrency = 5
  }

  expect_failures = [var.reserved_concurrency]
}

run "a_retention_that_cloudwatch_does_not_offer" {
  command = plan

  variables {
    log_retention_days = 31
  }

  expect_failures = [var.log_retention_days]
}

run "a_recipe_without_values" {
  command = plan

  variables {
    recipe = "bits"
  }

  expect_failures = [var.recipe]
}

run "a_recipe_without_record" {
  command = plan

  variables {
    recipe = "bits=8 metadata=no"
  }

  expect_failures = [var.recipe]
}

run "no_pixels" {
  command = plan

  variables {
    max_pixels = 0
  }

  expect_failures = [var.max_pixels]
}

run "no_format" {
  command = plan

  variables {
    formats = []
  }

  expect_failures = [var.formats]
}

run "an_unsupported_format" {
  command = plan

  variables {
    formats = ["png", "heic"]
  }

  expect_failures = [var.formats]
}

run "half_a_pixel" {
  command = plan

  variables {
    max_pixels = 1.5
  }

  expect_failures = [var.max_pixels]
}

run "metadata_that_is_all_foreign" {
  command = plan

  variables {
    foreign_metadata = ["*"]
  }

  expect_failures = [var.foreign_metadata]
}

run "metadata_with_a_comma" {
  command = plan

  variables {
    foreign_metadata = ["a,b"]
  }

  expect_failures = [var.foreign_metadata]
}

run "metadata_that_does_not_fit_the_environment" {
  command = plan

  variables {
    foreign_metadata = [for number in range(500) : "key-${number}"]
  }

  expect_failures = [var.foreign_metadata]
}

run "a_metadata_key_that_is_not_of_the_recipe" {
  command = plan

  variables {
    metadata_keys = ["crop", "colr"]
  }

  expect_failures = [var.metadata_keys]
}

run "all_metadata_keys_and_another" {
  command = plan

  variables {
    metadata_keys = ["*", "crop"]
  }

  expect_failures = [var.metadata_keys]
}

run "an_output_limit_below_the_smallest_record" {
  command = plan

  variables {
    max_output_bytes = 1000
  }

  expect_failures = [var.max_output_bytes]
}

run "a_namespace_that_aws_reserves" {
  command = plan

  variables {
    metrics_namespace = "AWS/Lambda"
  }

  expect_failures = [var.metrics_namespace]
}

run "a_reserve_that_is_too_short" {
  command = plan

  variables {
    reserve_ms = 99
  }

  expect_failures = [var.reserve_ms]
}

run "a_reserve_that_leaves_no_time" {
  command = plan

  variables {
    reserve_ms = 50000
  }

  expect_failures = [var.reserve_ms]
}

run "a_batch_that_is_too_large" {
  command = plan

  variables {
    batch_size = 11
  }

  expect_failures = [var.batch_size]
}

run "an_empty_batch" {
  command = plan

  variables {
    batch_size = 0
  }

  expect_failures = [var.batch_size]
}

run "one_invocation_at_a_time" {
  command = plan

  variables {
    maximum_concurrency = 1
  }

  expect_failures = [var.maximum_concurrency]
}

run "no_second_attempt" {
  command = plan

  variables {
    max_receive_count = 1
  }

  expect_failures = [var.max_receive_count]
}

run "an_invalid_email_address" {
  command = plan

  variables {
    alarm_emails = ["keeper"]
  }

  expect_failures = [var.alarm_emails]
}

run "an_email_address_without_alarms" {
  command = plan

  variables {
    alarm_emails = ["keeper@example.org"]
    alarms       = false
  }

  expect_failures = [var.alarm_emails]
}

run "a_topic_that_is_a_name" {
  command = plan

  variables {
    alarm_topic_arn = "alarms"
  }

  expect_failures = [var.alarm_topic_arn]
}

run "an_alarm_before_the_next_attempt" {
  command = plan

  variables {
    oldest_message_seconds = 300
  }

  expect_failures = [var.oldest_message_seconds]
}

run "an_alarm_at_zero_bytes_written" {
  command = plan

  variables {
    written_gb_per_hour = 0
  }

  expect_failures = [var.written_gb_per_hour]
}

run "a_budget_of_zero" {
  command = plan

  variables {
    monthly_budget_usd = 0
    alarm_emails       = ["keeper@example.org"]
  }

  expect_failures = [var.monthly_budget_usd]
}

run "a_budget_without_subscribers" {
  command = plan

  variables {
    monthly_budget_usd = 50
  }

  expect_failures = [var.monthly_budget_usd]
}

run "a_workflow_prefix_that_is_not_a_folder" {
  command = plan

  variables {
    workflow_prefix = "workflow"
  }

  expect_failures = [var.workflow_prefix]
}

run "a_workflow_prefix_within_the_input" {
  command = plan

  variables {
    workflow_prefix = "input/workflow/"
  }

  expect_failures = [var.workflow_prefix]
}

run "a_workflow_prefix_around_the_output" {
  command = plan

  variables {
    output_prefix   = "images/output/"
    workflow_prefix = "images/"
  }

  expect_failures = [var.workflow_prefix]
}

run "half_a_megabyte_for_the_workflow" {
  command = plan

  variables {
    workflow_memory_mb = 512.5
  }

  expect_failures = [var.workflow_memory_mb]
}

run "a_step_that_takes_longer_than_lambda_allows" {
  command = plan

  variables {
    workflow_timeout_seconds = 901
  }

  expect_failures = [var.workflow_timeout_seconds]
}

run "a_step_with_less_time_than_is_reserved" {
  command = plan

  variables {
    reserve_ms               = 40000
    timeout_seconds          = 60
    workflow_timeout_seconds = 50
  }

  expect_failures = [var.workflow_timeout_seconds]
}

run "a_workflow_of_one_at_a_time" {
  command = plan

  variables {
    workflow_reserved_concurrency = 1
  }

  expect_failures = [var.workflow_reserved_concurrency]
}

run "an_outcome_to_no_address" {
  command = plan

  variables {
    workflow_emails = ["somebody"]
  }

  expect_failures = [var.workflow_emails]
}

run "an_outcome_to_a_fifo_topic" {
  command = plan

  variables {
    workflow_topic_arn = "arn:aws:sns:eu-central-1:123456789012:outcomes.fifo"
  }

  expect_failures = [var.workflow_topic_arn]
}

run "outcomes_to_two_topics" {
  command = plan

  variables {
    workflow_topic_arn = "arn:aws:sns:eu-central-1:123456789012:outcomes"
    workflow_emails    = ["somebody@example.org"]
  }

  expect_failures = [var.workflow_topic_arn]
}

run "a_folder_of_jobs_without_a_slash" {
  command = plan

  variables {
    batches_prefix = "batches"
  }

  expect_failures = [var.batches_prefix]
}

run "jobs_among_the_sources" {
  command = plan

  variables {
    batches_prefix = "input/batches/"
  }

  expect_failures = [var.batches_prefix]
}

run "a_job_without_batches" {
  command = plan

  variables {
    batches_per_job = 0
  }

  expect_failures = [var.batches_per_job]
}

run "half_an_image" {
  command = plan

  variables {
    batches_images = 0.5
  }

  expect_failures = [var.batches_images]
}

run "a_threshold_in_words" {
  command = plan

  variables {
    batches_threshold = "half"
  }

  expect_failures = [var.batches_threshold]
}

run "more_images_in_a_part_than_a_payload_holds" {
  command = plan

  variables {
    batches_part = 201
  }

  expect_failures = [var.batches_part]
}

run "an_inline_map_with_too_long_a_history" {
  command = plan

  variables {
    batches_inline_images = 20001
    batches_part          = 10
  }

  expect_failures = [var.batches_inline_images]
}

run "a_job_that_may_not_wait" {
  command = plan

  variables {
    batches_waiting_hours = 0
  }

  expect_failures = [var.batches_waiting_hours]
}

run "two_sweeps_a_minute" {
  command = plan

  variables {
    batches_sweep_minutes = 0.5
  }

  expect_failures = [var.batches_sweep_minutes]
}

run "a_name_in_place_of_an_address_for_batches" {
  command = plan

  variables {
    batches_enabled = true
    batches_emails  = ["keeper"]
  }

  expect_failures = [var.batches_emails]
}

run "addresses_without_batches" {
  command = plan

  variables {
    batches_emails = ["keeper@example.org"]
  }

  expect_failures = [var.batches_emails]
}

run "a_database_without_batches" {
  command = plan

  variables {
    database_enabled = true
  }

  expect_failures = [var.database_enabled]
}

run "a_database_with_a_hyphen" {
  command = plan

  variables {
    database_name = "fft-rows"
  }

  expect_failures = [var.database_name]
}

run "a_minor_version_of_postgresql" {
  command = plan

  variables {
    database_version = "17.2"
  }

  expect_failures = [var.database_version]
}

run "an_instance_class_of_ec2" {
  command = plan

  variables {
    database_instance_class = "t4g.micro"
  }

  expect_failures = [var.database_instance_class]
}

run "less_storage_than_rds_has" {
  command = plan

  variables {
    database_storage_gb = 10
  }

  expect_failures = [var.database_storage_gb]
}

run "no_backups" {
  command = plan

  variables {
    database_backup_days = 0
  }

  expect_failures = [var.database_backup_days]
}

run "the_name_of_a_file_of_certificates" {
  command = plan

  variables {
    database_ca_bundle = "eu-central-1-bundle.pem"
  }

  expect_failures = [var.database_ca_bundle]
}

run "a_vpc_by_name" {
  command = plan

  variables {
    database_vpc_id     = "main"
    database_subnet_ids = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
  }

  expect_failures = [var.database_vpc_id]
}

run "subnets_by_name" {
  command = plan

  variables {
    database_vpc_id     = "vpc-0123456789abcdef0"
    database_subnet_ids = ["private-a", "private-b"]
  }

  expect_failures = [var.database_subnet_ids]
}

run "one_subnet" {
  command = plan

  variables {
    database_vpc_id     = "vpc-0123456789abcdef0"
    database_subnet_ids = ["subnet-0123456789abcdef0"]
  }

  expect_failures = [var.database_subnet_ids]
}

run "public_addresses" {
  command = plan

  variables {
    database_vpc_cidr = "8.8.0.0/24"
  }

  expect_failures = [var.database_vpc_cidr]
}

run "a_scan_that_ends_too_soon" {
  command = plan

  variables {
    backfill_scan_timeout_seconds = 30
  }

  expect_failures = [var.backfill_scan_timeout_seconds]
}

run "a_scan_that_lasts_longer_than_lambda_allows" {
  command = plan

  variables {
    backfill_scan_timeout_seconds = 901
  }

  expect_failures = [var.backfill_scan_timeout_seconds]
}

run "a_scan_of_half_a_second_more" {
  command = plan

  variables {
    backfill_scan_timeout_seconds = 60.5
  }

  expect_failures = [var.backfill_scan_timeout_seconds]
}

run "a_folder_of_sources_that_backfills_write_to" {
  command = plan

  variables {
    backfill_enabled = true
    input_prefix     = "backfill/"
  }

  expect_failures = [var.backfill_enabled]
}

run "a_service_without_its_secret" {
  command = plan

  variables {
    service_enabled      = true
    service_api_enabled  = true
    service_image_digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
  }

  expect_failures = [var.service_api_enabled]
}

run "a_service_without_its_table" {
  command = plan

  variables {
    service_api_enabled  = true
    service_image_digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    service_secret_arn   = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:service-AbCdEf"
  }

  expect_failures = [var.service_api_enabled]
}

run "a_service_image_by_its_tag" {
  command = plan

  variables {
    service_image_digest = "latest"
  }

  expect_failures = [var.service_image_digest]
}

run "a_service_secret_by_its_name" {
  command = plan

  variables {
    service_secret_arn = "service"
  }

  expect_failures = [var.service_secret_arn]
}

run "a_service_folder_without_a_slash" {
  command = plan

  variables {
    service_prefix = "service"
  }

  expect_failures = [var.service_prefix]
}

run "a_service_folder_in_another_one" {
  command = plan

  variables {
    service_prefix = "output/service/"
  }

  expect_failures = [var.service_prefix]
}

run "a_service_with_too_little_memory" {
  command = plan

  variables {
    service_memory_mb = 512
  }

  expect_failures = [var.service_memory_mb]
}

run "a_service_without_workers" {
  command = plan

  variables {
    service_workers = 0
  }

  expect_failures = [var.service_workers]
}

run "a_service_without_requests" {
  command = plan

  variables {
    service_requests_per_second = 0
  }

  expect_failures = [var.service_requests_per_second]
}

run "a_service_subnet_by_its_name" {
  command = plan

  variables {
    service_subnet_ids         = ["private"]
    service_security_group_ids = ["sg-0123456789abcdef0"]
  }

  expect_failures = [var.service_subnet_ids]
}

run "service_subnets_without_security_groups" {
  command = plan

  variables {
    service_subnet_ids = ["subnet-0123456789abcdef0"]
  }

  expect_failures = [var.service_subnet_ids]
}

run "a_service_security_group_by_its_name" {
  command = plan

  variables {
    service_subnet_ids         = ["subnet-0123456789abcdef0"]
    service_security_group_ids = ["default"]
  }

  expect_failures = [var.service_security_group_ids]
}

run "a_service_access_point_by_its_id" {
  command = plan

  variables {
    service_access_point_arn   = "fsap-0123456789abcdef0"
    service_subnet_ids         = ["subnet-0123456789abcdef0"]
    service_security_group_ids = ["sg-0123456789abcdef0"]
  }

  expect_failures = [var.service_access_point_arn]
}

run "a_service_access_point_without_subnets" {
  command = plan

  variables {
    service_access_point_arn = "arn:aws:elasticfilesystem:eu-central-1:123456789012:access-point/fsap-0123456789abcdef0"
  }

  expect_failures = [var.service_access_point_arn]
}
