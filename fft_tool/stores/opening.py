"""From the text that names a store to the store."""

from __future__ import annotations

import re
from pathlib import Path

from fft_tool.errors import NotFound
from fft_tool.stores.base import Store
from fft_tool.stores.folder import FolderStore
from fft_tool.stores.memory import MemoryStore

BUCKET_NAME = re.compile(r"[A-Za-z0-9._-]{3,255}")  # old buckets may have capitals and underscores


def open_store(location: str | Path, *, profile: bool = False, patience: float = 20) -> Store:
    """Open the store that ``location`` names.

    That is a folder, ``s3://bucket/prefix``, or ``memory:name``, which is there as long as somebody
    holds it.

    ``profile`` has S3 credentials looked up as the AWS command line does (profiles, SSO, roles),
    by boto3, rather than in the usual environment variables only. ``patience`` is how long, in
    seconds, S3 is asked again before it counts as unavailable.
    """
    text = str(location)
    if text.startswith("memory:"):
        return MemoryStore.named(text.removeprefix("memory:"))
    scheme, separator, rest = text.partition("://")
    if not separator:
        return FolderStore(Path(text))
    bucket, _, prefix = rest.partition("/")
    if scheme != "s3" or not BUCKET_NAME.fullmatch(bucket):
        raise NotFound(f"{text}: not a store, should be a folder or s3://bucket/prefix")
    from fft_tool.stores.s3 import S3Store  # noqa: PLC0415  (costs 40 ms)

    return S3Store(bucket, prefix, profile=profile, patience=patience)
