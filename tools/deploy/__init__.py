"""Put the pipeline into an AWS account: ``make plan``, ``deploy``, ``tail``, ``destroy``."""
