"""The services of AWS that run backfills, through boto3: the only module here that uses it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any

from botocore import exceptions
from botocore.config import Config

from fft_tool.errors import EngineError, EngineRefused, EngineUnavailable, NotAllowed
from fft_tool.stores.s3_boto3 import session

_ATTEMPTS = 8
_DENIED = {"AccessDenied", "AccessDeniedException", "ExpiredToken", "UnrecognizedClientException"}
_AGAIN = {"ThrottlingException", "TooManyRequestsException", "SlowDown", "ServiceUnavailable"}


class Exists(Exception):
    """A run of this name was started before."""


class Aws:
    """Clients of one region; errors of boto3 are translated to those of the core."""

    def __init__(self, region: str) -> None:
        self._region = region

    @cached_property
    def states(self) -> Any:
        """Step Functions."""
        return self._client("stepfunctions")

    @cached_property
    def control(self) -> Any:
        """S3 Control, which has Batch Operations."""
        return self._client("s3control")

    @cached_property
    def functions(self) -> Any:
        """Lambda."""
        return self._client("lambda")

    def ask(self, operation: Callable[..., Any], **arguments: Any) -> dict[str, Any]:
        """Call a service."""
        with _errors():
            answer: dict[str, Any] = operation(**arguments)
            return answer

    def pages(
        self, operation: Callable[..., Any], entries: str, token: str, **arguments: Any
    ) -> Iterator[Any]:
        """Yield all entries of an answer that comes in pages."""
        further: Mapping[str, str] = {}
        while True:
            page = self.ask(operation, **arguments, **further)
            yield from page[entries]
            if not page.get(token):
                return
            further = {token: page[token]}

    def _client(self, service: str) -> Any:
        config = Config(retries={"mode": "standard", "total_max_attempts": _ATTEMPTS})
        with _errors():
            return session().client(service, region_name=self._region, config=config)


@contextlib.contextmanager
def _errors() -> Iterator[None]:
    """Translate errors of boto3."""
    try:
        yield
    except exceptions.ClientError as exc:
        raise _translated(exc.response.get("Error", {})) from exc
    except (exceptions.NoCredentialsError, exceptions.PartialCredentialsError) as exc:
        raise NotAllowed("no AWS credentials: run `aws configure`, or set AWS_PROFILE") from exc
    except exceptions.ParamValidationError as exc:
        raise EngineRefused(f"AWS would not accept the request: {exc}") from exc
    except (exceptions.BotoCoreError, OSError) as exc:
        raise EngineUnavailable(f"AWS does not answer: {exc}") from exc


def _translated(error: Mapping[str, str]) -> EngineError | NotAllowed | Exists:
    code, message = error.get("Code", "unknown"), error.get("Message", "")
    text = f"{code}: {message}".rstrip(": ")
    if code in _DENIED:
        return NotAllowed(f"AWS denies it: {text}")
    if code == "ExecutionAlreadyExists":
        return Exists(text)
    return EngineUnavailable(text) if code in _AGAIN else EngineRefused(text)
