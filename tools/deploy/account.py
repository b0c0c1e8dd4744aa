"""The AWS account: who is asking, and what is in the registry, the bucket and the log."""

from __future__ import annotations

import base64
import json
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tools.deploy.faults import Fault, say
from tools.local_aws.logs import Line, Printer

GIVE_UP_COUNTING = 10_000
PAUSE = 2.0  # seconds between two looks at the log
OVERLAP_MS = 10_000  # a line may be filed somewhat after its time

NO_REGION = "no region is set: export AWS_REGION=eu-central-1, or aws configure set region …"
NO_CREDENTIALS = (
    "no AWS credentials are set: aws configure, aws sso login with AWS_PROFILE=…, "
    "or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
)
REFUSED = "AWS does not take the credentials: {reason}; if they have expired: aws sso login"


@dataclass(frozen=True)
class Account:
    """An account in one region; all endpoints are those of AWS_ENDPOINT_URL where that is set."""

    session: Any

    @classmethod
    def find(cls) -> Account:
        """Find region and credentials where Terraform finds them too, and try them out."""
        import boto3  # noqa: PLC0415  (takes half a second; help is quick)
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        try:
            region = os.environ.get("AWS_REGION")
            session = boto3.session.Session(region_name=region)
            found = session.get_credentials() is not None
        except BotoCoreError as exc:  # such as a profile that is not there
            raise Fault(f"AWS: {exc}") from exc
        missing = [NO_REGION] * (not session.region_name) + [NO_CREDENTIALS] * (not found)
        if missing:
            raise Fault("\n- ".join(missing))
        os.environ["AWS_REGION"] = session.region_name  # for Terraform, whatever it was set by
        account = cls(session)
        try:
            who = account.client("sts").get_caller_identity()
        except (BotoCoreError, ClientError) as exc:
            raise Fault(REFUSED.format(reason=exc)) from exc
        say(f"Account {who['Account']}, {session.region_name}, as {who['Arn']}")
        return account

    def client(self, service: str) -> Any:
        """Client of a service."""
        return self.session.client(service)

    def digest(self, repository: str, tag: str) -> str | None:
        """Digest of a tag in a repository, None if it is not there."""
        ecr = self.client("ecr")
        try:
            found = ecr.describe_images(repositoryName=repository, imageIds=[{"imageTag": tag}])
        except ecr.exceptions.ImageNotFoundException:
            return None
        digests = [image["imageDigest"] for image in found["imageDetails"]]
        return digests[0] if digests else None  # which is how emulators say that there is none

    def registry_password(self) -> str:
        """Password for the account's registry; the name is AWS."""
        (data,) = self.client("ecr").get_authorization_token()["authorizationData"]
        return base64.b64decode(data["authorizationToken"]).decode().partition(":")[2]

    def contents(self, bucket: str) -> str:
        """Tell how much a bucket holds, old versions included; nothing if it is empty or gone."""
        s3 = self.client("s3")
        counts = {"object": 0, "old version": 0, "mark of a deletion": 0}
        try:
            for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
                for version in page.get("Versions", ()):
                    counts["object" if version["IsLatest"] else "old version"] += 1
                counts["mark of a deletion"] += len(page.get("DeleteMarkers", ()))
                if sum(counts.values()) >= GIVE_UP_COUNTING:
                    return f"more than {GIVE_UP_COUNTING:,} objects and old versions"
        except s3.exceptions.NoSuchBucket:
            return ""
        return ", ".join(_counted(number, what) for what, number in counts.items() if number)

    def try_function(self, name: str) -> None:
        """Have the function answer S3's test event, so that what keeps it from starting is told."""
        event = json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "none"})
        answer = self.client("lambda").invoke(FunctionName=name, Payload=event)
        said = answer["Payload"].read().decode()
        if "FunctionError" in answer:
            raise Fault(f"everything is there, but the function does not start: {said}")

    def follow(self, group: str) -> None:
        """Print a log group, from now on and for ever."""
        printer = Printer(raw=False)
        now = round(1000 * time.time())
        say(f"{group}, from now on; Ctrl-C ends it.")
        for event in self._events(group, since_ms=now):
            printer.print(Line(event["timestamp"], event["message"].rstrip("\n")))

    def _events(self, group: str, since_ms: int) -> Iterator[Mapping[str, Any]]:
        """Lines of a log group, each once."""
        pages = self.client("logs").get_paginator("filter_log_events")
        newest, seen = since_ms, set[str]()
        while True:
            start = max(since_ms, newest - OVERLAP_MS)
            found = list(pages.paginate(logGroupName=group, startTime=start).search("events[]"))
            yield from (event for event in found if event["eventId"] not in seen)
            seen = {event["eventId"] for event in found}
            newest = max([newest, *(event["timestamp"] for event in found)])
            time.sleep(PAUSE)


def _counted(number: int, what: str) -> str:
    if number == 1:
        return f"1 {what}"
    return f"{number:,} " + ("marks of deletions" if what.startswith("mark") else f"{what}s")
