"""Stores, from which sources are read and to which artifacts are written: folder, S3, memory."""
