"""The AWS account: credentials, registry, bucket and log."""

from __future__ import annotations

import base64
import os
import time

from tools.clients import Clients, start_failure
from tools.errors import ToolError
from tools.log_tail import Printer, Tail
from tools.say import say

COUNT_AT_MOST = 10_000
PAUSE = 2.0  # seconds between two requests for the log

NO_REGION = "no region is set: export AWS_REGION=eu-central-1, or aws configure set region …"
NO_CREDENTIALS = (
    "no AWS credentials are set: aws configure, aws sso login with AWS_PROFILE=…, "
    "or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
)
REFUSED = "AWS does not accept the credentials: {reason}; if they have expired: aws sso login"
UNREACHABLE = (
    "AWS cannot be reached: {reason}; check the network, the proxy (HTTPS_PROXY) and "
    "AWS_ENDPOINT_URL, if it is set"
)


class Account(Clients):
    """An account in one region; AWS_ENDPOINT_URL, if set, replaces the endpoints."""

    @classmethod
    def find(cls) -> Account:
        """Find the region and credentials that Terraform would use, and try them."""
        import boto3  # noqa: PLC0415  (takes half a second, which --help does not need)
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  (slow to import)

        try:
            region = os.environ.get("AWS_REGION")
            session = boto3.session.Session(region_name=region)
            found = session.get_credentials() is not None
        except BotoCoreError as exc:  # such as an unknown profile
            raise ToolError(f"AWS: {exc}") from exc
        missing = [NO_REGION] * (not session.region_name) + [NO_CREDENTIALS] * (not found)
        if missing:
            raise ToolError("\n- ".join(missing))
        os.environ["AWS_REGION"] = session.region_name  # so that Terraform uses it too
        account = cls(session)
        try:
            who = account.sts.get_caller_identity()
        except (BotoCoreError, ClientError) as exc:
            told = UNREACHABLE if _is_unreachable(exc) else REFUSED
            raise ToolError(told.format(reason=exc)) from exc
        say(f"Account {who['Account']}, {session.region_name}, as {who['Arn']}")
        return account

    def digest(self, repository: str, tag: str) -> str | None:
        """Digest of a tag in a repository; None if there is no such tag."""
        try:
            found = self.ecr.describe_images(
                repositoryName=repository, imageIds=[{"imageTag": tag}]
            )
        except self.ecr.exceptions.ImageNotFoundException:
            return None
        digests = [image["imageDigest"] for image in found["imageDetails"]]
        return digests[0] if digests else None  # emulators answer with an empty list

    def registry_password(self) -> str:
        """Password of the user AWS for the account's registry."""
        (data,) = self.ecr.get_authorization_token()["authorizationData"]
        return base64.b64decode(data["authorizationToken"]).decode().partition(":")[2]

    def contents(self, bucket: str) -> str:
        """Counts of objects and versions in a bucket, as text; empty if it is empty or missing."""
        counts = {"object": 0, "old version": 0, "delete marker": 0}
        try:
            for page in self.s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
                for version in page.get("Versions", ()):
                    counts["object" if version["IsLatest"] else "old version"] += 1
                counts["delete marker"] += len(page.get("DeleteMarkers", ()))
                if sum(counts.values()) >= COUNT_AT_MOST:
                    return f"more than {COUNT_AT_MOST:,} objects and old versions"
        except self.s3.exceptions.NoSuchBucket:
            return ""
        return ", ".join(_counted(number, what) for what, number in counts.items() if number)

    def check_function(self, name: str, bucket: str) -> None:
        """Invoke the function to check that it starts."""
        reason = start_failure(self.functions, name, bucket)
        if reason:
            raise ToolError(f"everything is deployed, but the function does not start: {reason}")

    def follow(self, group: str) -> None:
        """Print new lines of a log group until interrupted."""
        tail, printer = Tail(self.logs, group, round(1000 * time.time())), Printer(raw=False)
        say(f"{group}, from now on; Ctrl-C ends it.")
        for line in tail.follow(PAUSE):
            printer.print(line)


def _is_unreachable(error: Exception) -> bool:
    """Whether there was no answer, or one that says nothing about credentials."""
    from botocore import exceptions, parsers  # noqa: PLC0415  (see above)

    if isinstance(error, exceptions.ClientError):
        return bool(error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500)
    return isinstance(
        error,
        (exceptions.ConnectionError, exceptions.HTTPClientError, parsers.ResponseParserError),
    )


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + "s" * (number != 1)
