"""The address of the database, with its password and certificates from Secrets Manager."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fft_tool.batches.aws import read_secret, with_certificates, with_credentials
from handler.batches_settings import BatchesSettings


@dataclass(frozen=True, slots=True)
class Database:
    """Where rows are stored, if anywhere; ``read`` returns the text of a secret.

    Secrets are read for each job, a few times an hour: a password that has been rotated is never
    older than that.
    """

    settings: BatchesSettings
    read: Callable[[str], str] = read_secret

    @contextmanager
    def url(self) -> Iterator[str | None]:
        """URL of the database; None if there is none. A file of certificates exists meanwhile."""
        settings = self.settings
        url = settings.database_url
        if settings.database_secret:
            url = with_credentials(url, self.read(settings.database_secret))
        if not url:
            yield None
        elif not settings.database_ca_secret:
            yield url
        else:
            with _file_of(self.read(settings.database_ca_secret)) as path:
                yield with_certificates(url, str(path))


@contextmanager
def _file_of(text: str) -> Iterator[Path]:
    """A temporary file, since libpq reads certificates from nowhere else."""
    descriptor, name = tempfile.mkstemp(suffix=".pem")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        yield Path(name)
    finally:
        Path(name).unlink()
