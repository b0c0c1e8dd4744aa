# One bucket for sources and results. Nobody but this account gets in, and only over TLS; results are
# written by the function alone, so that a record is what the function has found.

locals {
  # The account's root stays able to put things right.
  writers = concat(
    [aws_iam_role.function.arn, "arn:${local.partition}:iam::${local.account}:root"],
    sort(var.administrators),
  )
}

resource "aws_s3_bucket" "images" {
  #checkov:skip=CKV_AWS_144:a copy in another region would double the cost of storage
  #checkov:skip=CKV_AWS_145:SSE-S3, see docs/decisions/2026-11-20-encryption-at-rest.md
  #checkov:skip=CKV_AWS_18:optional (access_log_bucket): they need a bucket of their own
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
  # Rules about old versions are for buckets that have been told to keep them.
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

    # The mark of a deletion goes when the last version that it hides has gone.
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
  # AWS refuses policies while it is still being decided whether they are public.
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
        # For a role this is the role's own ARN, whatever its session is called. Policies are left
        # alone: whoever may change them can put another list here.
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
