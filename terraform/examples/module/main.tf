# The pipeline as a module of a larger configuration: two instances, in two regions.
#
#   terraform init && terraform apply                 creates buckets, queues and repositories
#   python3 -m tools.image.build --tag …:1 --push     for each repository (see the outputs);
#                                                     prints the digest
#   terraform apply -var 'digests={…}'                creates the functions

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
  description = "Digest of the container image, by region; without one, there is no function yet."
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

# Large scans, with pictures that can be inverted, and alarms that are sent by email.
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
  description = "Repositories to push the image to, by region."
  value = {
    eu-central-1 = module.thumbnails.repository_url
    us-east-1    = module.scans.repository_url
  }
}

output "inputs" {
  description = "Where to upload images."
  value       = [module.thumbnails.input, module.scans.input]
}
