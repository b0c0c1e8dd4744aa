# One bucket for sources and results. Only this account has access, and only over TLS. Only the
# functions write results, so that records can be trusted.

locals {
  # Each part that is turned on contributes the roles of its functions that write results.
  writing_roles = concat(local.workflow_writers, local.batch_writers, local.backfill_writers)

  # The account's root user keeps access, to be able to correct mistakes.
  writers = concat(
    [aws_iam_role.function.arn, "arn:${local.partition}:iam::${local.account}:root"],
    local.writing_roles,
    sort(var.administrators),
  )

  # Each part that is started by uploads says so.
  eventbridge = anytrue([var.workflow_enabled, var.batches_enabled])
}

resource "aws_s3_bucket" "images" {
  #checkov:skip=CKV_AWS_144:replication to another region would double the cost of storage
  #checkov:skip=CKV_AWS_145:SSE-S3, see docs/decisions/2026-11-20-encryption-at-rest.md
  #checkov:skip=CKV_AWS_18:optional (access_log_bucket): access logs need a separate bucket
  bucket        = coalesce(var.bucket_name, "${var.name}-${local.account}-${local.region}")
  force_destroy = var.force_destroy
  tags          = local.tags
}

resource "aws_s3_bucket_public_access_block" "images" {
  bucket                  = aws_s3_bucket.images.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "images" {
  bucket = aws_s3_bucket.images.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "images" {
  bucket = aws_s3_bucket.images.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_versioning" "images" {
  bucket = aws_s3_bucket.images.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "images" {
  # Rules for noncurrent versions require versioning to be enabled.
  depends_on = [aws_s3_bucket_versioning.images]

  bucket = aws_s3_bucket.images.id

  rule {
    id     = "broken-off-uploads"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  rule {
    id     = "old-versions"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days = var.noncurrent_days
    }

    # A delete marker is removed once the last version behind it has expired.
    expiration {
      expired_object_delete_marker = true
    }
  }

  dynamic "rule" {
    for_each = var.output_expiry_days[*]

    content {
      id     = "old-results"
      status = "Enabled"

      filter {
        prefix = var.output_prefix
      }

      expiration {
        days = rule.value
      }
    }
  }
}

resource "aws_s3_bucket_policy" "images" {
  # Changing the public access block and the policy at the same time can cause a conflict.
  depends_on = [aws_s3_bucket_public_access_block.images]

  bucket = aws_s3_bucket.images.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "OnlyOverTls"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:*"
        Resource  = [aws_s3_bucket.images.arn, "${aws_s3_bucket.images.arn}/*"]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
      {
        # For a role session, aws:PrincipalArn is the ARN of the role. Changing the policy itself is
        # not denied: anyone who may do so can also change this list.
        Sid       = "OnlyTheFunctionWritesResults"
        Effect    = "Deny"
        Principal = "*"
        Action = [
          "s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion",
          "s3:ReplicateObject", "s3:ReplicateDelete",
        ]
        Resource  = "${aws_s3_bucket.images.arn}/${var.output_prefix}*"
        Condition = { ArnNotLike = { "aws:PrincipalArn" = local.writers } }
      },
    ]
  })
}

resource "aws_s3_bucket_logging" "images" {
  for_each = toset(var.access_log_bucket[*])

  bucket        = aws_s3_bucket.images.id
  target_bucket = each.value
  target_prefix = "${aws_s3_bucket.images.id}/"
}
