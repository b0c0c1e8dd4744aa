"""Running the analysis over all that a bucket already holds, on an engine that somebody else runs.

The engines are S3 Batch Operations, a Distributed Map of Step Functions, and Dask.
"""
