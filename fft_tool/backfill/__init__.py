"""Backfills: the function applied to images that are already stored, by several engines."""
