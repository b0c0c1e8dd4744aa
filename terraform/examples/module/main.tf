# The pipeline as a part of something larger: two of them here, in two regions.
#
#   terraform init && terraform apply                 makes buckets, queues and repositories
#   python3 -m tools.image.build --tag …:1 --push     for each repository, see the outputs; prints
#                                                     the digest
#   terraform apply -var 'digests={…}'                makes the functions

terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7.0"
    }
  }
}

variable "digests" {
  description = "Digest of the container image by region; none yet where a region is left out."
  type        = map(string)
  default     = {}
  nullable    = false
}

provider "aws" {
  region = "eu-central-1"
}

provider "aws" {
  alias  = "virginia"
  region = "us-east-1"
}

# Small images, many of them.
module "thumbnails" {
  source = "../.."

  name                = "thumbnails"
  image_digest        = lookup(var.digests, "eu-central-1", null)
  suffixes            = [".png"]
  max_pixels          = 4000000
  memory_mb           = 512
  maximum_concurrency = 50
  output_expiry_days  = 30
}

# Large scans, with pictures that give them back, and somebody who is told when it does not go well.
module "scans" {
  source    = "../.."
  providers = { aws = aws.virginia }

  name            = "scans"
  image_digest    = lookup(var.digests, "us-east-1", null)
  input_prefix    = "scans/raw/"
  output_prefix   = "scans/spectra/"
  recipe          = "bits=16 window=hann"
  max_pixels      = 400000000
  memory_mb       = 8192
  timeout_seconds = 300
  batch_size      = 1
  alarm_emails    = ["keeper@example.org"]
}

output "repositories" {
  description = "Where the image is to be pushed to, by region."
  value = {
    eu-central-1 = module.thumbnails.repository_url
    us-east-1    = module.scans.repository_url
  }
}

output "inputs" {
  description = "Where images are dropped."
  value       = [module.thumbnails.input, module.scans.input]
}
