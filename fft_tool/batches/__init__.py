"""Batches: pixel counts of many images, whose statistics are published once all are there."""
