"""Clients of AWS services, for an account or for what stands in for one."""

from __future__ import annotations

import json
from functools import cached_property
from typing import Any


class Clients:
    """Clients made from one boto3 session, each when it is first used."""

    def __init__(self, session: Any, **options: Any) -> None:
        self._session, self._options = session, options

    @cached_property
    def ecr(self) -> Any:
        """Client of the container registry."""
        return self._client("ecr")

    @cached_property
    def functions(self) -> Any:
        """Client of Lambda."""
        return self._client("lambda")

    @cached_property
    def logs(self) -> Any:
        """Client of CloudWatch Logs."""
        return self._client("logs")

    @cached_property
    def s3(self) -> Any:
        """Client of S3."""
        return self._client("s3")

    @cached_property
    def sqs(self) -> Any:
        """Client of SQS."""
        return self._client("sqs")

    @cached_property
    def sts(self) -> Any:
        """Client of the service that knows who is calling."""
        return self._client("sts")

    def _client(self, service: str) -> Any:
        return self._session.client(service, **self._options)


def start_failure(functions: Any, name: str, bucket: str) -> str:
    """Send a Lambda function the test event of its bucket; the error it answers with, or nothing.

    A function that cannot start writes nothing to its log: the answer is the only place to look.
    """
    event = json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": bucket})
    answer = functions.invoke(FunctionName=name, Payload=event)
    payload = answer["Payload"].read()
    if "FunctionError" not in answer:
        return ""
    return str(json.loads(payload).get("errorMessage", "no reason given"))
