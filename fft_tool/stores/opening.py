"""Opening of stores by their location."""

from __future__ import annotations

import re
from pathlib import Path

from fft_tool.errors import NotFound
from fft_tool.stores.base import Store
from fft_tool.stores.folder import FolderStore
from fft_tool.stores.memory import MemoryStore

BUCKET_NAME = re.compile(r"[A-Za-z0-9._-]{3,255}")  # old names may have capitals and underscores


def open_store(location: str | Path, *, profile: bool = False, patience: float = 20) -> Store:
    """Open the store at ``location``.

    A location is a folder, ``s3://bucket/prefix``, or ``memory:name``. A memory store exists as
    long as there is a reference to it.

    With ``profile``, boto3 looks up S3 credentials as the AWS command line does (profiles, SSO,
    roles), not only in environment variables. ``patience`` is the time in seconds for which failed
    S3 requests are retried.
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
    from fft_tool.stores.s3 import S3Store  # noqa: PLC0415  (takes 40 ms)

    return S3Store(bucket, prefix, profile=profile, patience=patience)
