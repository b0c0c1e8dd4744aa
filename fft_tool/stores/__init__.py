"""Where sources come from and artifacts go: a folder, S3, or memory."""
