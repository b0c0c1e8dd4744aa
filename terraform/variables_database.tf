# Variables of the database: an optional PostgreSQL for the rows of batches.

variable "database_enabled" {
  description = "Whether to create an RDS PostgreSQL for the rows of batches, from about $15 a month."
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition     = !var.database_enabled || var.batches_enabled
    error_message = "database_enabled is set, but batches_enabled = false: nothing would be written to it."
  }
}

variable "database_name" {
  description = "Name of the database."
  type        = string
  default     = "fft"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9_]{0,62}$", var.database_name))
    error_message = <<-EOT
      database_name should have up to 63 lower-case letters, digits and
      underscores, and begin with a letter.
    EOT
  }
}

variable "database_version" {
  description = "Major version of PostgreSQL; minor ones are installed in the maintenance window."
  type        = string
  default     = "17"
  nullable    = false

  validation {
    condition     = can(regex("^1[5-9]$", var.database_version))
    error_message = "database_version should be a major version from 15 to 19."
  }
}

variable "database_instance_class" {
  description = "Class of the instance."
  type        = string
  default     = "db.t4g.micro"
  nullable    = false

  validation {
    condition     = can(regex("^db\\.[a-z0-9-]+\\.[a-z0-9-]+$", var.database_instance_class))
    error_message = "database_instance_class should be a class of RDS such as db.t4g.micro."
  }
}

variable "database_storage_gb" {
  description = "Storage of the database in GB; a job of five batches takes ten rows, about 2 KB."
  type        = number
  default     = 20
  nullable    = false

  validation {
    condition = (
      floor(var.database_storage_gb) == var.database_storage_gb
      && var.database_storage_gb >= 20 && var.database_storage_gb <= 65536
    )
    error_message = "database_storage_gb should be a whole number from 20 to 65536."
  }
}

variable "database_multi_az" {
  description = "Whether a standby in another zone takes over if one fails, for twice the price."
  type        = bool
  default     = false
  nullable    = false
}

variable "database_backup_days" {
  description = "Days for which backups are kept."
  type        = number
  default     = 7
  nullable    = false

  validation {
    condition = (
      floor(var.database_backup_days) == var.database_backup_days
      && var.database_backup_days >= 1 && var.database_backup_days <= 35
    )
    error_message = "database_backup_days should be a whole number from 1 to 35."
  }
}

variable "database_deletion_protection" {
  description = "Whether the database refuses to be deleted, also by `make destroy`."
  type        = bool
  default     = true
  nullable    = false
}

variable "database_ca_bundle" {
  description = <<-EOT
    The region's certificates of RDS as PEM text, downloaded from
    https://truststore.pki.rds.amazonaws.com/REGION/REGION-bundle.pem and read with file(); the
    function then also verifies whom it connects to. null: encrypted, but not verified.
  EOT
  type        = string
  default     = null

  validation {
    condition = (
      var.database_ca_bundle == null ? true : (
        can(regex("^\\s*-----BEGIN CERTIFICATE-----", var.database_ca_bundle))
        && length(var.database_ca_bundle) <= 60000
      )
    )
    error_message = <<-EOT
      database_ca_bundle should be null or certificates as PEM text, up to 60000
      characters: file("eu-central-1-bundle.pem"), not the name of a file.
    EOT
  }
}

variable "database_vpc_id" {
  description = <<-EOT
    Existing VPC for the database and the function that writes to it, from whose subnets S3 and
    Secrets Manager can be reached; null: a VPC with private subnets and these endpoints is created.
  EOT
  type        = string
  default     = null

  validation {
    condition = (
      var.database_vpc_id == null ? true : can(regex("^vpc-[0-9a-f]{8,17}$", var.database_vpc_id))
    )
    error_message = "database_vpc_id should be null or the id of a VPC: vpc-0123456789abcdef0."
  }
}

variable "database_subnet_ids" {
  description = "Private subnets in the existing VPC, in at least two zones; empty if the VPC is created."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition = alltrue([
      for id in var.database_subnet_ids : can(regex("^subnet-[0-9a-f]{8,17}$", id))
    ])
    error_message = "database_subnet_ids should be ids of subnets: [\"subnet-0123456789abcdef0\"]."
  }

  validation {
    condition = (
      var.database_vpc_id == null
      ? length(var.database_subnet_ids) == 0
      : length(var.database_subnet_ids) >= 2
    )
    error_message = <<-EOT
      database_subnet_ids should have at least two subnets of database_vpc_id,
      in different zones; without database_vpc_id it should be empty.
    EOT
  }
}

variable "database_vpc_cidr" {
  description = "Addresses of the VPC that is created."
  type        = string
  default     = "10.77.0.0/24"
  nullable    = false

  validation {
    condition = (
      can(cidrhost(var.database_vpc_cidr, 0))
      && can(regex("^(10|172|192)\\..*/(1[6-9]|2[0-5])$", var.database_vpc_cidr))
    )
    error_message = <<-EOT
      database_vpc_cidr should be a range of private addresses with /16 to /25:
      10.77.0.0/24.
    EOT
  }
}
