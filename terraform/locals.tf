data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.id # "region" is not known to version 5 of the provider

  # Roles and dashboards are one namespace for all regions of an account.
  name_in_region = "${var.name}-${local.region}"

  tags = merge({ Project = var.name }, var.tags)

  # Suffixes of S3's rules are told apart by case, people's files are not: IMG_0001.JPG.
  suffixes = toset(flatten([for suffix in var.suffixes : [lower(suffix), upper(suffix)]]))
}
