"""Runs from store to store: single sources, batches, and checks for existing results."""
