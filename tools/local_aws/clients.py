"""Clients that can reach only the local AWS, whatever the developer's settings are."""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from urllib.parse import quote

from tools.clients import Clients
from tools.local_aws.emulator import REGION, Running, credentials

ACCOUNT = "000000000000"  # the only account of an emulator that does not check signatures


def forget_accounts(environ: MutableMapping[str, str]) -> None:
    """Remove all settings that could lead to a real account, or away from loopback."""
    for name in [name for name in environ if name.startswith("AWS_")]:
        del environ[name]
    environ["AWS_CONFIG_FILE"] = environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    environ["AWS_EC2_METADATA_DISABLED"] = "true"


def arn(service: str, resource: str) -> str:
    """ARN of a resource in the local account."""
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


class LocalAws(Clients):
    """Clients of an emulator at ``endpoint``, which answers requests made with ``key``."""

    def __init__(self, endpoint: str, key: str) -> None:
        import boto3  # noqa: PLC0415  (takes half a second, which --help does not need)
        from botocore.config import Config  # noqa: PLC0415  (slow to import)

        config = Config(
            proxies={}, connect_timeout=5, read_timeout=120, retries={"max_attempts": 1}
        )
        session = boto3.session.Session(*credentials(key).values(), region_name=REGION)
        super().__init__(session, endpoint_url=endpoint, config=config)
        self.endpoint, self.key = endpoint, key

    @classmethod
    def of(cls, running: Running) -> LocalAws:
        """Clients of a running emulator."""
        return cls(running.endpoint, running.key)

    @property
    def variables(self) -> dict[str, str]:
        """Environment variables that let other tools use it."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": REGION,
            **credentials(self.key),
        }

    def url(self, bucket: str, key: str) -> str:
        """Link to an object for a browser; it contains the key, since browsers cannot sign."""
        return f"{self.endpoint}/{bucket}/{quote(key)}?X-Amz-Security-Token={self.key}"
