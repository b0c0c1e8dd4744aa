terraform {
  # 1.9 is the first version in which the validation of one variable may refer to another.
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7.0"
    }
  }
}

# There is no provider block: region and credentials come from the environment (AWS_REGION,
# AWS_PROFILE, AWS_ENDPOINT_URL, …), and a configuration that uses this folder as a module passes its own.
