# What the function is told by its environment: handler/settings.py has the same defaults, but for
# max_pixels, which there is what the whole of Lambda's memory could take.

variable "recipe" {
  description = "What the recipe is where an object's metadata does not say: bits=16 window=hann."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^([a-z][a-z-]*=[^\\s=]+( [a-z][a-z-]*=[^\\s=]+)*)?$", var.recipe))
    error_message = <<-EOT
      recipe should be empty, or keys and values as the command line's flags
      have them, with single spaces between: bits=16 window=hann.
    EOT
  }

  validation {
    condition     = !can(regex("(^| )metadata=(no|false|0)( |$)", lower(var.recipe)))
    error_message = "recipe may not say metadata=no: the record is what tells how an object ended."
  }
}

variable "max_pixels" {
  description = "Largest image in pixels; larger ones are rejected before they are decoded."
  type        = number
  default     = 100000000
  nullable    = false

  validation {
    condition = (
      floor(var.max_pixels) == var.max_pixels
      && var.max_pixels >= 1 && var.max_pixels <= 10000000000
    )
    error_message = "max_pixels should be a whole number from 1 to 10000000000."
  }
}

variable "formats" {
  description = "Formats that are accepted, told by content; objects of others are rejected."
  type        = list(string)
  default     = ["png", "tiff", "jpeg", "webp", "bmp"]
  nullable    = false

  validation {
    condition = length(var.formats) > 0 && alltrue([
      for name in var.formats : contains(["png", "tiff", "jpeg", "webp", "bmp"], name)
    ])
    error_message = "formats should be one or more of png, tiff, jpeg, webp and bmp."
  }
}

variable "foreign_metadata" {
  description = <<-EOT
    Metadata keys of other tools, as globs, that are passed over; any other key that is no key of
    the recipe makes the object rejected.
  EOT
  type        = list(string)
  default = [
    "mtime", "ctime", "atime", "mode", "uid", "gid", "btime",
    "md5chksum", "content-md5", "sha256",
    "s3cmd-attrs", "s3b-last-modified",
    "file-*", "user-agent*", "codebuild-*",
    "x-amz-*", "original-filename", "filename",
  ]
  nullable = false

  validation {
    condition = alltrue([
      for glob in var.foreign_metadata : can(regex("^[a-z0-9_.?*-]+$", glob)) && glob != "*"
    ])
    error_message = <<-EOT
      foreign_metadata should be globs of lower-case letters, digits and _.-?*,
      such as file-*; not * alone, which would pass over every mistake in a
      recipe's keys.
    EOT
  }

  validation {
    condition     = length(join(",", var.foreign_metadata)) <= 2048
    error_message = <<-EOT
      foreign_metadata should have up to 2048 characters in all: Lambda gives a
      function 4 KB of environment.
    EOT
  }
}

variable "metadata_keys" {
  description = <<-EOT
    Keys of the recipe that an object's metadata may set; ["*"]: all, []: none. docs/lambda.md has
    the set for a bucket that strangers upload to.
  EOT
  type        = list(string)
  default     = ["*"]
  nullable    = false

  validation {
    condition = length(var.metadata_keys) == 1 && contains(var.metadata_keys, "*") || alltrue([
      for key in var.metadata_keys : contains([
        "crop", "smart-crop", "channel", "background", "detrend", "window", "periodic",
        "precision", "scale", "bits", "colour", "phase", "spectrum", "histogram", "filter",
        "threshold", "pixel-size", "metadata"
      ], key)
    ])
    error_message = <<-EOT
      metadata_keys should be ["*"] or keys of the recipe as the command line's
      flags have them: ["channel", "pixel-size"].
    EOT
  }
}

variable "max_output_bytes" {
  description = <<-EOT
    Most bytes that one source may leave behind; null: as many as an image of max_pixels takes with
    recipe, so that nothing but an object's own metadata can ask for more.
  EOT
  type        = number
  default     = null

  validation {
    condition = (
      var.max_output_bytes == null ? true : (
        floor(var.max_output_bytes) == var.max_output_bytes
        && var.max_output_bytes >= 1000000 && var.max_output_bytes < 1000000000000
      )
    )
    error_message = <<-EOT
      max_output_bytes should be null or a whole number from 1000000 to
      999999999999: less is not enough for the smallest image and its record.
    EOT
  }
}

variable "metrics_namespace" {
  description = "CloudWatch namespace of the function's own metrics."
  type        = string
  default     = "fft-pipeline"
  nullable    = false

  validation {
    condition = (
      can(regex("^[A-Za-z0-9_.#:/-]{1,255}$", var.metrics_namespace))
      && !startswith(var.metrics_namespace, "AWS/")
    )
    error_message = <<-EOT
      metrics_namespace should be 1 to 255 letters, digits and ._#:/- and not
      begin with AWS/.
    EOT
  }
}

variable "reserve_ms" {
  description = "Milliseconds kept back of an invocation; work that would need them is handed back."
  type        = number
  default     = 2000
  nullable    = false

  validation {
    condition = (
      floor(var.reserve_ms) == var.reserve_ms && var.reserve_ms >= 100 && var.reserve_ms <= 800000
    )
    error_message = "reserve_ms should be a whole number from 100 to 800000."
  }

  # S3 is asked again for up to 15 seconds before an object is handed back.
  validation {
    condition     = var.reserve_ms / 1000 + 15 <= var.timeout_seconds
    error_message = <<-EOT
      reserve_ms = ${var.reserve_ms} leaves too little of timeout_seconds =
      ${var.timeout_seconds}: at least 15 seconds should be left for work. Lower
      it, or give more time.
    EOT
  }
}
