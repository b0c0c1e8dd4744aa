# The rate limit of the HTTP service: a table with one item for each address. Nothing of this exists
# unless service_enabled is set. See docs/service-products.md.

locals {
  # What the service needs of the table, and nothing else.
  rate_limit_statement = {
    Effect   = "Allow"
    Action   = ["dynamodb:GetItem", "dynamodb:UpdateItem"]
    Resource = one(aws_dynamodb_table.rate_limit[*].arn)
  }
}

resource "aws_dynamodb_table" "rate_limit" {
  #checkov:skip=CKV_AWS_119:encrypted with the key of DynamoDB in this account; items last for some hours
  count = var.service_enabled ? 1 : 0

  name                        = "${var.name}-rate-limit"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "ip_address"
  deletion_protection_enabled = var.service_deletion_protection

  attribute {
    name = "ip_address"
    type = "S"
  }

  ttl {
    attribute_name = "expires_at"
    enabled        = true
  }

  server_side_encryption {
    enabled = true
  }

  point_in_time_recovery {
    enabled = true
  }

  tags = local.tags
}

resource "aws_iam_policy" "rate_limit" {
  count = var.service_enabled ? 1 : 0

  name        = "${local.name_in_region}-rate-limit"
  description = "What the service needs of the table ${var.name}-rate-limit"
  policy      = jsonencode({ Version = "2012-10-17", Statement = [local.rate_limit_statement] })
  tags        = local.tags
}
