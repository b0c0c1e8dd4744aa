"""Deploy the pipeline to an AWS account: ``make plan``, ``deploy``, ``tail``, ``destroy``."""
