# Settings that are passed to the function through its environment. handler/settings.py has the same
# defaults, except for max_pixels: the one here fits into the default of memory_mb, which the
# function, the command line and their common default of 300 million pixels know nothing about.

variable "recipe" {
  description = "Default recipe, for keys that an object's metadata does not set: bits=16 window=hann."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^([a-z][a-z-]*=[^\\s=]+( [a-z][a-z-]*=[^\\s=]+)*)?$", var.recipe))
    error_message = <<-EOT
      recipe should be empty, or keys and values as in the command line's flags,
      separated by single spaces: bits=16 window=hann.
    EOT
  }

  validation {
    condition     = !can(regex("(^| )metadata=(no|false|0)( |$)", lower(var.recipe)))
    error_message = "recipe should not contain metadata=no: the record states the outcome of an object."
  }
}

variable "max_pixels" {
  description = "Largest accepted image, in pixels; larger ones are rejected before decoding."
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
  description = "Accepted formats, detected by content; objects in other formats are rejected."
  type        = list(string)
  default     = ["png", "tiff", "jpeg", "webp", "bmp", "gif", "avif", "pnm", "npy"]
  nullable    = false

  validation {
    condition = length(var.formats) > 0 && alltrue([
      for name in var.formats : contains(["png", "tiff", "jpeg", "webp", "bmp", "gif", "avif", "pnm", "npy"], name)
    ])
    error_message = "formats should be one or more of png, tiff, jpeg, webp, bmp, gif, avif, pnm and npy."
  }
}

variable "foreign_metadata" {
  description = <<-EOT
    Metadata keys of other tools to ignore, as globs; an object with any other key that is not a key
    of the recipe is rejected.
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
      such as file-*; not * alone, which would hide every mistake in the keys of
      a recipe.
    EOT
  }

  validation {
    condition     = length(join(",", var.foreign_metadata)) <= 2048
    error_message = <<-EOT
      foreign_metadata should have at most 2048 characters in total: Lambda
      limits the environment of a function to 4 KB.
    EOT
  }
}

variable "metadata_keys" {
  description = <<-EOT
    Keys of the recipe that an object's metadata may set; ["*"]: all, []: none. docs/lambda.md
    recommends a set for buckets with untrusted uploaders.
  EOT
  type        = list(string)
  default     = ["*"]
  nullable    = false

  validation {
    condition = length(var.metadata_keys) == 1 && contains(var.metadata_keys, "*") || alltrue([
      for key in var.metadata_keys : contains([
        "frame", "range", "crop", "smart-crop", "channel", "background", "detrend", "window", "periodic",
        "precision", "scale", "bits", "colour", "magnitude", "phase", "spectrum", "histogram", "filter",
        "offset", "threshold", "pixel-size", "metadata"
      ], key)
    ])
    error_message = <<-EOT
      metadata_keys should be ["*"], or keys of the recipe as in the command
      line's flags: ["channel", "pixel-size"].
    EOT
  }
}

variable "max_output_bytes" {
  description = <<-EOT
    Largest total size of the outputs of one source, in bytes; null: what an image of max_pixels
    takes with the default recipe, so that only an object's own metadata can exceed it.
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
      999999999999: the smallest image and its record need that much.
    EOT
  }
}

variable "metrics_namespace" {
  description = "CloudWatch namespace of the function's metrics."
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
  description = "Milliseconds reserved at the end of an invocation; no work is started in them."
  type        = number
  default     = 2000
  nullable    = false

  validation {
    condition = (
      floor(var.reserve_ms) == var.reserve_ms && var.reserve_ms >= 100 && var.reserve_ms <= 800000
    )
    error_message = "reserve_ms should be a whole number from 100 to 800000."
  }

  # Requests to S3 are retried for up to 15 seconds before an object is returned to the queue.
  validation {
    condition     = var.reserve_ms / 1000 + 15 <= var.timeout_seconds
    error_message = <<-EOT
      reserve_ms = ${var.reserve_ms} leaves too little of timeout_seconds =
      ${var.timeout_seconds}: at least 15 seconds should remain. Lower
      reserve_ms, or increase timeout_seconds.
    EOT
  }
}
