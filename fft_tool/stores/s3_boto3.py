"""S3 through boto3, which is slow to import and can express every key.

It is sent as it is: dot segments and doubled slashes stay in the path.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import boto3
import botocore.session
from botocore import exceptions
from botocore.config import Config
from botocore.utils import get_environ_proxies
from obstore.auth.boto3 import Boto3CredentialProvider

from fft_tool.errors import NotAllowed, StoreError, StoreUnavailable
from fft_tool.stores.base import Stat
from fft_tool.stores.s3_errors import place_of, refusal, unusable

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0  # seconds between two attempts

# Clients that speak to an HTTP proxy take such segments out of the path.
_DOTS = re.compile(r"(^|/)\.{1,2}(/|$)")
_WITHOUT_CREDENTIALS = (
    exceptions.ConfigNotFound,
    exceptions.ConfigParseError,
    exceptions.CredentialRetrievalError,
    exceptions.NoCredentialsError,
    exceptions.PartialCredentialsError,
    exceptions.ProfileNotFound,
    exceptions.SSOError,
    exceptions.TokenRetrievalError,
)


def credentials_for_obstore() -> Boto3CredentialProvider:
    """Give obstore what boto3 finds; it asks again before they expire."""
    with _errors(""):
        try:
            return Boto3CredentialProvider(_session())
        except ValueError:
            raise _no_credentials() from None


class Boto3:
    """The objects of a bucket.

    Times are in seconds: ``patience`` in all, ``request`` for one of them.
    """

    def __init__(self, bucket: str, patience: float, request: float) -> None:
        self._bucket, self._patience = bucket, patience
        config = Config(
            connect_timeout=min(5, request),
            read_timeout=request,
            retries={"total_max_attempts": 1},  # botocore bounds their number, not their time
        )
        with _errors(bucket):
            self._client = _session().client("s3", config=config)

    def stat(self, key: str) -> Stat:
        """Tell what S3 keeps about an object."""
        return _stat(self._ask(self._client.head_object, key, Key=key))

    def open(self, key: str) -> Body:
        """Have S3 begin to send an object."""
        return Body(self._ask(self._client.get_object, key, Key=key), self._bucket, key)

    def write(self, key: str, data: bytes, content_type: str, metadata: Mapping[str, str]) -> None:
        """Write an object."""
        arguments = {"ContentType": content_type, "Metadata": dict(metadata)}
        self._ask(self._client.put_object, key, Key=key, Body=data, **arguments)

    def list(self, start: str) -> Iterator[tuple[str, int]]:
        """Keys that begin with ``start``, sorted, and sizes."""
        further: dict[str, str] = {}
        while True:
            page = self._ask(self._client.list_objects_v2, start, Prefix=start, **further)
            for entry in page.get("Contents", ()):
                yield entry["Key"], entry["Size"]
            if not page["IsTruncated"]:
                return
            further = {"ContinuationToken": page["NextContinuationToken"]}

    def _ask(self, operation: Callable[..., Any], key: str, **arguments: Any) -> Any:
        """Call S3, and again with growing pauses as long as there is patience."""
        if "Key" in arguments:
            self._refuse_rewriting(key)
        end = time.monotonic() + self._patience
        pause = FIRST_PAUSE
        while True:
            try:
                with _errors(self._bucket, key):
                    return operation(Bucket=self._bucket, **arguments)
            except StoreUnavailable:
                left = end - time.monotonic()
                if left <= 0:
                    raise
            time.sleep(min(pause, left))
            pause = min(2 * pause, LONGEST_PAUSE)

    def _refuse_rewriting(self, key: str) -> None:
        """Refuse a key that would become another one on its way."""
        endpoint = self._client.meta.endpoint_url
        plain = endpoint.startswith("http:")
        if plain and _DOTS.search(key) and "http" in get_environ_proxies(endpoint):
            raise NotAllowed(
                f"{place_of(self._bucket, key)}: cannot be reached through an HTTP proxy: "
                "set NO_PROXY to the host of AWS_ENDPOINT_URL"
            )


class Body:
    """An object that S3 has begun to send."""

    def __init__(self, answer: Mapping[str, Any], bucket: str, key: str) -> None:
        self.stat = _stat(answer)
        self._stream = answer["Body"]
        self._bucket, self._key = bucket, key

    def chunks(self, size: int) -> Iterator[bytes]:
        """Give its bytes as they come, ``size`` at a time."""
        with _errors(self._bucket, self._key):
            yield from self._stream.iter_chunks(size)

    def close(self) -> None:
        """Let go of the connection."""
        self._stream.close()


def _session() -> Any:
    """Begin to look for credentials as the AWS command line does, for the region as obstore does.

    Each user has one of its own: threads must not make things of one at the same time.
    """
    region = ("region", ["AWS_REGION", "AWS_DEFAULT_REGION"], None, None)
    core = botocore.session.Session(session_vars={"region": region})
    return boto3.session.Session(botocore_session=core)


def _stat(answer: Mapping[str, Any]) -> Stat:
    metadata = {key.lower(): value for key, value in answer["Metadata"].items()}
    return Stat(answer["ContentLength"], metadata, answer["ETag"])


@contextlib.contextmanager
def _errors(bucket: str, key: str = "") -> Iterator[None]:
    """Translate what boto3 says."""
    try:
        yield
    except _WITHOUT_CREDENTIALS as exc:
        raise _no_credentials() from exc
    except exceptions.ClientError as exc:
        raise _refusal(exc.response, bucket, key) from exc
    except (exceptions.ParamValidationError, ValueError) as exc:
        raise unusable(bucket, key) from exc
    except (exceptions.BotoCoreError, OSError) as exc:
        raise refusal(bucket, key, None) from exc


def _no_credentials() -> NotAllowed:
    return NotAllowed(
        "no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
        "or run `aws configure`"
    )


def _refusal(answer: Mapping[str, Any], bucket: str, key: str) -> StoreError:
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return refusal(bucket, key, status, answer.get("Error", {}).get("Code"))
