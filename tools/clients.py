"""Clients of AWS services, for an account or an emulator."""

from __future__ import annotations

import json
from functools import cached_property
from typing import Any


class Clients:
    """Clients of one boto3 session, each created when it is first used."""

    def __init__(self, session: Any, **options: Any) -> None:
        self._session, self._options = session, options

    @cached_property
    def dynamodb(self) -> Any:
        """Client of DynamoDB."""
        return self._client("dynamodb")

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
    def events(self) -> Any:
        """Client of EventBridge."""
        return self._client("events")

    @cached_property
    def scheduler(self) -> Any:
        """Client of EventBridge Scheduler."""
        return self._client("scheduler")

    @cached_property
    def secrets(self) -> Any:
        """Client of Secrets Manager."""
        return self._client("secretsmanager")

    @cached_property
    def sns(self) -> Any:
        """Client of SNS."""
        return self._client("sns")

    @cached_property
    def states(self) -> Any:
        """Client of Step Functions."""
        return self._client("stepfunctions")

    @cached_property
    def sqs(self) -> Any:
        """Client of SQS."""
        return self._client("sqs")

    @cached_property
    def sts(self) -> Any:
        """Client of the Security Token Service."""
        return self._client("sts")

    def _client(self, service: str) -> Any:
        return self._session.client(service, **self._options)


def start_failure(functions: Any, name: str, bucket: str) -> str:
    """Send a Lambda function S3's test event; returns its error message, or an empty string.

    A function that cannot start writes nothing to its log: only the answer has the reason.
    """
    event = json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": bucket})
    answer = functions.invoke(FunctionName=name, Payload=event)
    payload = answer["Payload"].read()
    if "FunctionError" not in answer:
        return ""
    return str(json.loads(payload).get("errorMessage", "no reason given"))
