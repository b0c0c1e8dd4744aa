# The network of the database, unless database_vpc_id names one: two private subnets, no gateway to
# the internet, and endpoints for S3 and Secrets Manager.

data "aws_availability_zones" "available" {
  count = local.database_new ? 1 : 0

  state = "available"
}

resource "aws_vpc" "database" {
  #checkov:skip=CKV2_AWS_11:two members, no internet: a flow log would cost more than it could tell
  count = local.database_new ? 1 : 0

  cidr_block           = var.database_vpc_cidr
  enable_dns_hostnames = true
  enable_dns_support   = true
  tags                 = merge(local.tags, { Name = "${var.name}-batches" })
}

# Without rules, so that nothing is let through by default.
resource "aws_default_security_group" "database" {
  count = local.database_new ? 1 : 0

  vpc_id = aws_vpc.database[0].id
  tags   = local.tags
}

resource "aws_subnet" "database" {
  count = local.database_new ? 2 : 0

  vpc_id            = aws_vpc.database[0].id
  availability_zone = data.aws_availability_zones.available[0].names[count.index]
  cidr_block        = cidrsubnet(var.database_vpc_cidr, 1, count.index)
  tags              = merge(local.tags, { Name = "${var.name}-batches-${count.index}" })
}

resource "aws_route_table" "database" {
  count = local.database_new ? 1 : 0

  vpc_id = aws_vpc.database[0].id
  tags   = local.tags
}

resource "aws_route_table_association" "database" {
  count = local.database_new ? 2 : 0

  route_table_id = aws_route_table.database[0].id
  subnet_id      = aws_subnet.database[count.index].id
}

resource "aws_vpc_endpoint" "s3" {
  count = local.database_new ? 1 : 0

  vpc_id            = aws_vpc.database[0].id
  service_name      = "com.amazonaws.${local.region}.s3"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = aws_route_table.database[*].id
  tags              = local.tags
}

resource "aws_security_group" "endpoints" {
  count = local.database_new ? 1 : 0

  name        = "${var.name}-batches-endpoints"
  description = "The endpoint of Secrets Manager"
  vpc_id      = aws_vpc.database[0].id
  tags        = local.tags
}

resource "aws_vpc_security_group_ingress_rule" "endpoints_from_publish" {
  count = local.database_new ? 1 : 0

  security_group_id            = aws_security_group.endpoints[0].id
  description                  = "Secrets Manager"
  referenced_security_group_id = aws_security_group.publish[0].id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
  tags                         = local.tags
}

resource "aws_vpc_endpoint" "secrets" {
  count = local.database_new ? 1 : 0

  vpc_id              = aws_vpc.database[0].id
  service_name        = "com.amazonaws.${local.region}.secretsmanager"
  vpc_endpoint_type   = "Interface"
  subnet_ids          = aws_subnet.database[*].id
  security_group_ids  = aws_security_group.endpoints[*].id
  private_dns_enabled = true
  tags                = local.tags
}
