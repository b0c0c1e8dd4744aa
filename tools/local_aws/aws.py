"""Clients of the local AWS: of it alone, whatever the developer's own settings say."""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import quote

from tools.local_aws.emulator import REGION, Running, credentials

ACCOUNT = "000000000000"  # whose everything is, in an emulator that does not check keys


def forget_accounts(environ: MutableMapping[str, str]) -> None:
    """Remove all that could lead to a real account, or to anything but loopback."""
    for name in [name for name in environ if name.startswith("AWS_")]:
        del environ[name]
    environ["AWS_CONFIG_FILE"] = environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    environ["AWS_EC2_METADATA_DISABLED"] = "true"


def arn(service: str, resource: str) -> str:
    """Name of a resource in the local account."""
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


@dataclass(frozen=True)
class Aws:
    """The services at an endpoint, which answers to this access key."""

    endpoint: str
    key: str

    @classmethod
    def of(cls, running: Running) -> Aws:
        """Give those of an emulator that runs."""
        return cls(running.endpoint, running.key)

    @property
    def variables(self) -> dict[str, str]:
        """What has other tools speak with it."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": REGION,
            **credentials(self.key),
        }

    @cached_property
    def s3(self) -> Any:
        """Client of S3."""
        return self._client("s3")

    @cached_property
    def sqs(self) -> Any:
        """Client of SQS."""
        return self._client("sqs")

    @cached_property
    def functions(self) -> Any:
        """Client of Lambda."""
        return self._client("lambda")

    @cached_property
    def logs(self) -> Any:
        """Client of CloudWatch Logs."""
        return self._client("logs")

    def url(self, bucket: str, key: str) -> str:
        """Where a browser finds an object; it has no keys, so the link has."""
        return f"{self.endpoint}/{bucket}/{quote(key)}?X-Amz-Security-Token={self.key}"

    @cached_property
    def _session(self) -> Any:
        import boto3  # noqa: PLC0415  (costs half a second, and not every command needs it)

        return boto3.session.Session(*credentials(self.key).values(), region_name=REGION)

    def _client(self, service: str) -> Any:
        from botocore.config import Config  # noqa: PLC0415

        config = Config(
            proxies={},
            connect_timeout=5,
            read_timeout=120,
            retries={"max_attempts": 1},
        )
        return self._session.client(service, endpoint_url=self.endpoint, config=config)
