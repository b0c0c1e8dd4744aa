# An optional PostgreSQL for the rows of batches. Only the function that publishes rows can reach it;
# neither has a way to the internet. The password is made and rotated by RDS, and never in a state file.

locals {
  database     = var.database_enabled && local.batches
  database_new = local.database && var.database_vpc_id == null

  database_vpc     = coalesce(var.database_vpc_id, one(aws_vpc.database[*].id), "none")
  database_subnets = local.database_new ? aws_subnet.database[*].id : tolist(var.database_subnet_ids)
  database_secret  = try(aws_db_instance.rows[0].master_user_secret[0].secret_arn, "")

  # Without the certificates of RDS the connection is encrypted, but could be to anybody in the VPC.
  database_tls = var.database_ca_bundle == null ? "require" : "verify-full"

  database_environment = local.database ? {
    DATABASE_URL           = "postgresql+psycopg://${one(aws_db_instance.rows[*].endpoint)}/${var.database_name}?sslmode=${local.database_tls}"
    DATABASE_SECRET_ARN    = local.database_secret
    DATABASE_CA_SECRET_ARN = join("", aws_secretsmanager_secret.database_ca[*].arn)
  } : {}

  database_statements = local.database ? [{
    Effect   = "Allow"
    Action   = "secretsmanager:GetSecretValue"
    Resource = concat([local.database_secret], aws_secretsmanager_secret.database_ca[*].arn)
  }] : []
}

resource "aws_db_instance" "rows" {
  #checkov:skip=CKV_AWS_157:optional (database_multi_az): a standby doubles the price, and rows can be published again
  #checkov:skip=CKV_AWS_118:RDS's own metrics are enough for a few rows an hour
  #checkov:skip=CKV_AWS_354:Performance Insights is off, see CKV_AWS_353
  #checkov:skip=CKV_AWS_353:RDS's own metrics are enough for a few rows an hour
  #checkov:skip=CKV_AWS_161:the password is managed by RDS in Secrets Manager, and only one function can read it
  count = local.database ? 1 : 0

  identifier     = "${var.name}-batches"
  engine         = "postgres"
  engine_version = var.database_version
  instance_class = var.database_instance_class
  db_name        = var.database_name

  allocated_storage     = var.database_storage_gb
  max_allocated_storage = 2 * var.database_storage_gb
  storage_type          = "gp3"
  storage_encrypted     = true

  username                    = "fft"
  manage_master_user_password = true

  db_subnet_group_name   = aws_db_subnet_group.rows[0].name
  parameter_group_name   = aws_db_parameter_group.rows[0].name
  vpc_security_group_ids = aws_security_group.database[*].id
  publicly_accessible    = false
  multi_az               = var.database_multi_az

  backup_retention_period         = var.database_backup_days
  copy_tags_to_snapshot           = true
  deletion_protection             = var.database_deletion_protection
  skip_final_snapshot             = false
  final_snapshot_identifier       = "${var.name}-batches-last"
  auto_minor_version_upgrade      = true
  enabled_cloudwatch_logs_exports = ["postgresql", "upgrade"]

  tags = local.tags
}

resource "aws_db_parameter_group" "rows" {
  count = local.database ? 1 : 0

  name        = "${var.name}-batches"
  family      = "postgres${var.database_version}"
  description = "Connections only over TLS, and a log of statements that change tables"

  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }

  parameter {
    name  = "log_statement"
    value = "ddl"
  }

  parameter {
    name  = "log_min_duration_statement"
    value = "1000"
  }

  tags = local.tags

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_db_subnet_group" "rows" {
  count = local.database ? 1 : 0

  name        = "${var.name}-batches"
  description = "Private subnets"
  subnet_ids  = local.database_subnets
  tags        = local.tags
}

resource "aws_secretsmanager_secret" "database_ca" {
  #checkov:skip=CKV_AWS_149:certificates are public; it is kept here since nobody else may change it
  #checkov:skip=CKV2_AWS_57:certificates of RDS are valid for decades, and Terraform replaces them
  count = local.database && var.database_ca_bundle != null ? 1 : 0

  name        = "${var.name}-batches-database-ca"
  description = "Certificates of RDS, against which the database is verified"
  tags        = local.tags
}

resource "aws_secretsmanager_secret_version" "database_ca" {
  count = length(aws_secretsmanager_secret.database_ca)

  secret_id     = aws_secretsmanager_secret.database_ca[0].id
  secret_string = var.database_ca_bundle
}

# Who may connect to whom: the function to the database, to S3, and to Secrets Manager.

resource "aws_security_group" "publish" {
  count = local.database ? 1 : 0

  name        = "${var.name}-batches-publish"
  description = "The function that publishes rows"
  vpc_id      = local.database_vpc
  tags        = local.tags
}

resource "aws_security_group" "database" {
  count = local.database ? 1 : 0

  name        = "${var.name}-batches-database"
  description = "The database of rows"
  vpc_id      = local.database_vpc
  tags        = local.tags
}

resource "aws_vpc_security_group_egress_rule" "publish_to_database" {
  count = local.database ? 1 : 0

  security_group_id            = aws_security_group.publish[0].id
  description                  = "PostgreSQL"
  referenced_security_group_id = aws_security_group.database[0].id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
  tags                         = local.tags
}

resource "aws_vpc_security_group_ingress_rule" "database_from_publish" {
  count = local.database ? 1 : 0

  security_group_id            = aws_security_group.database[0].id
  description                  = "PostgreSQL"
  referenced_security_group_id = aws_security_group.publish[0].id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
  tags                         = local.tags
}

# S3 and Secrets Manager. In a VPC of one's own, subnets may have other ways to them than endpoints,
# so only the port is limited there.
resource "aws_vpc_security_group_egress_rule" "publish_to_aws" {
  count = local.database ? 1 : 0

  security_group_id = aws_security_group.publish[0].id
  description       = "S3 and Secrets Manager"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  tags              = local.tags
}

# Lambda's own policy for functions in a VPC: creating and deleting network interfaces.
resource "aws_iam_role_policy_attachment" "publish_in_vpc" {
  count = local.database ? 1 : 0

  role       = aws_iam_role.batches["publish"].name
  policy_arn = "arn:${local.partition}:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"
}
