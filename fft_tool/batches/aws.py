"""State machines and secrets of AWS, for jobs that are counted there."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from fft_tool.errors import NotAllowed, StoreUnavailable
from fft_tool.validate import Json

LONGEST_NAME = 80  # characters of the name of an execution
ATTEMPTS = 10  # executions for one state of a job

# started: by this call. running: started before, and still at work. given-up: all have ended.
Started = Literal["started", "running", "given-up"]


@dataclass(frozen=True)
class Machine:
    """The state machine with this ARN; ``client`` returns a boto3 client of a service."""

    arn: str
    client: Callable[[str], Any] = field(default_factory=lambda: make_client)

    @cached_property
    def _states(self) -> Any:
        return self.client("stepfunctions")

    def start(self, name: str, document: Mapping[str, Any]) -> Started:
        """Start an execution of this name, unless one is running.

        Executions of AWS have unique names, so that whoever starts the same twice starts it once. A
        name whose execution has ended without the desired effect is followed by ``NAME-2``, and so
        on, up to :data:`ATTEMPTS`.
        """
        for attempt in range(1, ATTEMPTS + 1):
            full = name if attempt == 1 else f"{name}-{attempt}"
            with _errors(f"state machine {self.arn}"):
                try:
                    self._states.start_execution(
                        stateMachineArn=self.arn, name=full, input=json.dumps(document)
                    )
                except self._states.exceptions.ExecutionAlreadyExists:
                    if self._is_running(full):
                        return "running"
                else:
                    return "started"
        return "given-up"

    def _is_running(self, name: str) -> bool:
        arn = f"{self.arn.replace(':stateMachine:', ':execution:')}:{name}"
        found = self._states.describe_execution(executionArn=arn)
        return bool(found["status"] == "RUNNING")


def execution_name(job: str, revision: int, key: str) -> str:
    """Name of the execution that counts a revision of a job, with room for a number of attempts.

    >>> execution_name("oak leaves", 1, "4bf5")
    'oak-leaves-1-af892a53b53552343f2218adf2725283'

    It is unique although most characters of a job's name are not allowed in it.
    """
    plain = re.sub(r"[^A-Za-z0-9-]+", "-", job).strip("-")
    digest = hashlib.sha256(json.dumps([job, revision, key]).encode()).hexdigest()
    end = f"-{revision}-{digest[:32]}"
    return plain[: LONGEST_NAME - len(end) - len(f"-{ATTEMPTS}")] + end


def read_secret(arn: str, client: Callable[[str], Any] | None = None) -> str:
    """Text of a secret in Secrets Manager."""
    with _errors(f"secret {arn}"):
        found = (client or make_client)("secretsmanager").get_secret_value(SecretId=arn)
    return str(found["SecretString"])


def with_credentials(url: str, secret: str) -> str:
    """URL of a database with the username and the password of a secret, as RDS keeps it.

    >>> with_credentials("postgresql://db:5432/fft", '{"username": "fft", "password": "a/b"}')
    'postgresql://fft:a%2Fb@db:5432/fft'

    Without a ``url``, the secret has to name the host and the database, too.
    """
    found = _login(secret)
    user, password = (quote(str(found[name]), safe="") for name in ("username", "password"))
    if not url:
        host, port = found.get("host"), found.get("port", 5432)
        if not host:
            raise NotAllowed("the database's secret names no host: set DATABASE_URL, too")
        name = quote(str(found.get("dbname", "postgres")), safe="")
        url = f"postgresql+psycopg://{host}:{port}/{name}"
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{user}:{password}@{place}"))


def with_certificates(url: str, path: str) -> str:
    """URL of a database that is verified against the certificates in a file.

    >>> with_certificates("postgresql://db/fft?sslmode=require", "/tmp/ca.pem")
    'postgresql://db/fft?sslmode=verify-full&sslrootcert=%2Ftmp%2Fca.pem'
    """
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query)) | {"sslmode": "verify-full", "sslrootcert": path}
    return urlunsplit(parts._replace(query=urlencode(query)))


def make_client(service: str) -> Any:
    """A boto3 client; endpoint, region and credentials come from the environment."""
    import boto3  # noqa: PLC0415  (takes 400 ms)
    from botocore.config import Config  # noqa: PLC0415  (as above)

    retries = {"mode": "standard", "total_max_attempts": 4}
    config = Config(connect_timeout=5, read_timeout=10, retries=retries)
    return boto3.client(service, config=config)


def _login(secret: str) -> Json:
    try:
        found = json.loads(secret)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not {"username", "password"} <= found.keys():
        raise NotAllowed("the database's secret should be JSON with username and password")
    return found


@contextmanager
def _errors(place: str) -> Iterator[None]:
    """Translate the errors of boto3, except those that the caller handles."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  (slow to import)

    try:
        yield
    except ClientError as exc:
        code = exc.response.get("Error", {}).get("Code", "")
        status = exc.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        told = f"{place}: {code}: {exc.response.get('Error', {}).get('Message', '')}"
        if status >= 500 or "Throttl" in code or code.endswith("LimitExceeded"):
            raise StoreUnavailable(told) from exc
        raise NotAllowed(told) from exc
    except BotoCoreError as exc:
        raise StoreUnavailable(f"{place}: {exc}") from exc
