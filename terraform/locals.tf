data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  # The region is read as id, which every supported version of the provider has.
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.id

  # Names of roles and dashboards are shared by all regions of an account.
  name_in_region = "${var.name}-${local.region}"

  tags = merge({ Project = var.name }, var.tags)

  # S3 matches suffixes case-sensitively, but files are named in either case: IMG_0001.JPG.
  suffixes = toset(flatten([for suffix in var.suffixes : [lower(suffix), upper(suffix)]]))
}
