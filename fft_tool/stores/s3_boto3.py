"""S3 through boto3, which is slow to import but can represent every key.

It sends keys unchanged, including dot segments and double slashes.
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
from fft_tool.stores.base import Entry, Stat
from fft_tool.stores.s3_errors import Exists, place_of, refusal, unusable

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0  # seconds between two attempts

# Clients remove these segments from the path if they connect through an HTTP proxy.
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
    """Credentials found by boto3, for obstore, which refreshes them before they expire."""
    with _errors(""):
        try:
            return Boto3CredentialProvider(session())
        except ValueError:
            raise _no_credentials() from None


class Boto3:
    """The objects of a bucket.

    Times are in seconds: ``patience`` in total, ``request`` for a single request.
    """

    def __init__(self, bucket: str, patience: float, request: float) -> None:
        self._bucket, self._patience = bucket, patience
        config = Config(
            connect_timeout=min(5, request),
            read_timeout=request,
            retries={"total_max_attempts": 1},  # botocore limits their number, not their duration
        )
        with _errors(bucket):
            self._client = session().client("s3", config=config)

    def stat(self, key: str) -> Stat:
        """Return what S3 knows about an object."""
        return _stat(self._ask(self._client.head_object, key, Key=key))

    def open(self, key: str) -> Body:
        """Request an object."""
        return Body(self._ask(self._client.get_object, key, Key=key), self._bucket, key)

    def write(self, key: str, data: bytes, content_type: str, metadata: Mapping[str, str]) -> None:
        """Write an object."""
        arguments = {"ContentType": content_type, "Metadata": dict(metadata)}
        self._ask(self._client.put_object, key, Key=key, Body=data, **arguments)

    def create(self, key: str, data: bytes, content_type: str) -> bool:
        """Write an object unless there is one; return whether it was written."""
        try:
            self._ask(
                self._client.put_object,
                key,
                Key=key,
                Body=data,
                ContentType=content_type,
                IfNoneMatch="*",
            )
        except Exists:
            return False
        return True

    def delete(self, key: str) -> None:
        """Delete an object, if there is one."""
        self._ask(self._client.delete_object, key, Key=key)

    def list(self, start: str) -> Iterator[Entry]:
        """Objects whose keys begin with ``start``, sorted."""
        further: dict[str, str] = {}
        while True:
            page = self._ask(self._client.list_objects_v2, start, Prefix=start, **further)
            for entry in page.get("Contents", ()):
                modified = entry["LastModified"].timestamp()
                yield Entry(entry["Key"], entry["Size"], entry["ETag"], modified)
            if not page["IsTruncated"]:
                return
            further = {"ContinuationToken": page["NextContinuationToken"]}

    def _ask(self, operation: Callable[..., Any], key: str, **arguments: Any) -> Any:
        """Call S3, retrying with growing pauses for ``patience`` seconds."""
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
        """Reject a key that would be altered on its way."""
        endpoint = self._client.meta.endpoint_url
        plain = endpoint.startswith("http:")
        if plain and _DOTS.search(key) and "http" in get_environ_proxies(endpoint):
            raise NotAllowed(
                f"{place_of(self._bucket, key)}: cannot be reached through an HTTP proxy: "
                "set NO_PROXY to the host of AWS_ENDPOINT_URL"
            )


class Body:
    """The response to a request for an object."""

    def __init__(self, answer: Mapping[str, Any], bucket: str, key: str) -> None:
        self.stat = _stat(answer)
        self._stream = answer["Body"]
        self._bucket, self._key = bucket, key

    def chunks(self, size: int) -> Iterator[bytes]:
        """Yield the bytes as they arrive, ``size`` at a time."""
        with _errors(self._bucket, self._key):
            yield from self._stream.iter_chunks(size)

    def close(self) -> None:
        """Release the connection."""
        self._stream.close()


def session() -> Any:
    """Create a session that finds credentials as the AWS command line does, the region as obstore.

    Each caller gets its own: creating clients from a shared session is not thread-safe.
    """
    region = ("region", ["AWS_REGION", "AWS_DEFAULT_REGION"], None, None)
    core = botocore.session.Session(session_vars={"region": region})
    return boto3.session.Session(botocore_session=core)


def _stat(answer: Mapping[str, Any]) -> Stat:
    metadata = {key.lower(): value for key, value in answer["Metadata"].items()}
    return Stat(answer["ContentLength"], metadata, answer["ETag"])


@contextlib.contextmanager
def _errors(bucket: str, key: str = "") -> Iterator[None]:
    """Translate errors of boto3."""
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
