"""Build and inspect container images: ``make image``, ``image-size``, ``image-sbom``.

Only the standard library is used here, so that images can be built without an environment.
"""
