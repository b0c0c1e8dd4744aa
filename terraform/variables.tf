# Variables for names and storage. The others: variables_function.tf, variables_settings.tf,
# variables_queue.tf, variables_watching.tf.

variable "name" {
  description = "Name of the function, and the beginning of the names of all other resources."
  type        = string
  default     = "fft-pipeline"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", var.name)) && length(var.name) <= 32
    error_message = <<-EOT
      name should have up to 32 lower-case letters, digits and single hyphens,
      and begin with a letter: fft-pipeline, scans2.
    EOT
  }
}

variable "tags" {
  description = "Tags of all resources, in addition to Project, which is set to the name."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition = length(var.tags) <= 40 && alltrue([
      for key, value in var.tags :
      can(regex("^[\\w .:/=+@-]{1,128}$", key)) && can(regex("^[\\w .:/=+@-]{0,256}$", value))
      && !startswith(lower(key), "aws:")
    ])
    error_message = <<-EOT
      tags should be at most 40, with keys of 1 to 128 and values of up to 256
      letters, digits, spaces and _.:/=+-@; no key may begin with aws:.
    EOT
  }
}

variable "bucket_name" {
  description = "Name of the bucket; null: name-account-region, which is globally unique."
  type        = string
  default     = null

  validation {
    condition = var.bucket_name == null ? true : alltrue([
      can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.bucket_name)),
      !can(regex("^xn--|^sthree-|^amzn-s3-demo-|-s3alias$|--ol-s3$|--x-s3$", var.bucket_name)),
    ])
    error_message = <<-EOT
      bucket_name should be null, or 3 to 63 lower-case letters, digits and
      hyphens that neither begin nor end with a hyphen, nor with a prefix or
      suffix that S3 reserves (xn--, sthree-, -s3alias, …).
    EOT
  }
}

variable "force_destroy" {
  description = "Whether `terraform destroy` deletes the bucket even if it holds images and results."
  type        = bool
  default     = false
  nullable    = false
}

variable "administrators" {
  description = <<-EOT
    ARNs of IAM roles and users that may write and delete results, in addition to the function and
    the account's root user; * matches part of a name. All others are denied, whatever their own
    permissions are.
  EOT
  type        = set(string)
  default     = []
  nullable    = false

  # Roles, arn:aws:iam::…:role/…, and not their sessions, arn:aws:sts::….
  validation {
    condition = alltrue([
      for arn in var.administrators :
      can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:(role|user)/[\\w+=,.@/*-]*[\\w+=,.@-]\\*?$", arn))
    ])
    error_message = <<-EOT
      administrators should be ARNs of IAM roles or users such as
      arn:aws:iam::123456789012:role/admin, not of sessions (sts), nor * alone.
    EOT
  }
}

variable "input_prefix" {
  description = "Folder of the bucket for sources."
  type        = string
  default     = "input/"
  nullable    = false

  # No wildcards of IAM (*, ?, $), and no characters that S3 would have to encode.
  validation {
    condition = (
      can(regex("^([A-Za-z0-9][A-Za-z0-9_=.-]*/)+$", var.input_prefix))
      && length(var.input_prefix) <= 512
    )
    error_message = <<-EOT
      input_prefix should be a folder such as input/, or folders such as
      scans/raw/: up to 512 letters, digits and _=.- that begin with a letter or
      a digit, each followed by a slash.
    EOT
  }
}

variable "output_prefix" {
  description = "Folder of the bucket for results."
  type        = string
  default     = "output/"
  nullable    = false

  validation {
    condition = (
      can(regex("^([A-Za-z0-9][A-Za-z0-9_=.-]*/)+$", var.output_prefix))
      && length(var.output_prefix) <= 512
    )
    error_message = <<-EOT
      output_prefix should be a folder such as output/, or folders such as
      scans/spectra/: up to 512 letters, digits and _=.- that begin with a
      letter or a digit, each followed by a slash.
    EOT
  }

  validation {
    condition = alltrue([
      !startswith(var.output_prefix, var.input_prefix),
      !startswith(var.input_prefix, var.output_prefix),
    ])
    error_message = <<-EOT
      input_prefix = "${var.input_prefix}" and output_prefix =
      "${var.output_prefix}" overlap: results would be taken for sources. They
      should be two separate folders, neither inside the other.
    EOT
  }
}

variable "suffixes" {
  description = <<-EOT
    Suffixes of the keys to analyse, each in lower and in upper case; other objects below
    input_prefix are ignored. Empty: all objects are analysed.
  EOT
  type        = set(string)
  default = [
    ".png", ".tif", ".tiff", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".avif",
    ".pbm", ".pgm", ".ppm", ".pnm", ".npy",
  ]
  nullable = false

  validation {
    condition = length(var.suffixes) <= 50 && alltrue([
      for suffix in var.suffixes : can(regex("^[A-Za-z0-9_.-]{1,64}$", suffix))
    ])
    error_message = <<-EOT
      suffixes should be at most 50 suffixes such as .png: each 1 to 64 letters,
      digits and _.-
    EOT
  }

  # S3 rejects two rules for the same event that could match the same key.
  validation {
    condition = alltrue([
      for pair in setproduct(var.suffixes, var.suffixes) :
      pair[0] == pair[1] || !endswith(lower(pair[0]), lower(pair[1]))
    ])
    error_message = <<-EOT
      No suffix should end with another one, ignoring case: .png already covers
      _small.png.
    EOT
  }
}

variable "noncurrent_days" {
  description = "Days for which overwritten or deleted sources and results can be restored."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition = (
      floor(var.noncurrent_days) == var.noncurrent_days
      && var.noncurrent_days >= 1 && var.noncurrent_days <= 3650
    )
    error_message = "noncurrent_days should be a whole number of days from 1 to 3650."
  }
}

variable "output_expiry_days" {
  description = "Days after which results are deleted; null: never. Sources are never deleted."
  type        = number
  default     = null

  validation {
    condition = (
      var.output_expiry_days == null ? true : (
        floor(var.output_expiry_days) == var.output_expiry_days
        && var.output_expiry_days >= 1 && var.output_expiry_days <= 3650
      )
    )
    error_message = "output_expiry_days should be null or a whole number of days from 1 to 3650."
  }
}

variable "access_log_bucket" {
  description = <<-EOT
    Existing bucket in the same region for S3's access logs, whose policy lets
    logging.s3.amazonaws.com write to it; null: no access logs.
  EOT
  type        = string
  default     = null

  validation {
    condition = (
      var.access_log_bucket == null ? true
      : can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.access_log_bucket))
    )
    error_message = "access_log_bucket should be null or the name of a bucket (not an ARN or URL)."
  }

  validation {
    condition = (
      var.access_log_bucket == null ? true
      : var.access_log_bucket != coalesce(var.bucket_name, "(null)")
    )
    error_message = <<-EOT
      access_log_bucket should not be the bucket itself: every log that is
      written would cause another log entry.
    EOT
  }
}
