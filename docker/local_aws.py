"""An AWS on one machine for docker/compose.yaml: ministack, with the bucket and the table.

    python -m local_aws            run it; SERVICE_BUCKET and RATE_TABLE name what is created
    python -m local_aws check      exit with 0 if both are there

It accepts any credentials, so nothing but the service may reach it.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

TABLE_KEY = "ip_address"
SECONDS = 60  # that starting may take


def make_resources() -> None:
    """Create what is missing, once the emulator answers."""
    _wait()
    s3, dynamodb = _client("s3"), _client("dynamodb")
    bucket, table = os.environ["SERVICE_BUCKET"], os.environ["RATE_TABLE"]
    if bucket not in [each["Name"] for each in s3.list_buckets()["Buckets"]]:
        s3.create_bucket(Bucket=bucket)
    if table not in dynamodb.list_tables()["TableNames"]:
        dynamodb.create_table(
            TableName=table,
            AttributeDefinitions=[{"AttributeName": TABLE_KEY, "AttributeType": "S"}],
            KeySchema=[{"AttributeName": TABLE_KEY, "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )


def check() -> None:
    """Exit with an error unless the bucket and the table are there."""
    _client("s3").head_bucket(Bucket=os.environ["SERVICE_BUCKET"])
    _client("dynamodb").describe_table(TableName=os.environ["RATE_TABLE"])


def _wait() -> None:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        try:
            with urlopen(f"{_endpoint()}/_ministack/health", timeout=5):  # noqa: S310  (this machine)
                return
        except (URLError, OSError):
            time.sleep(0.1)
    print(f"ministack does not answer after {SECONDS} seconds", file=sys.stderr, flush=True)
    os._exit(1)  # the emulator holds the main thread


def _client(service: str) -> Any:
    import boto3  # noqa: PLC0415  (takes most of a second)

    return boto3.client(service, endpoint_url=_endpoint())


def _endpoint() -> str:
    return f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}"


def main() -> None:
    """Run ministack in this process, which stores its state when it is told to stop."""
    if sys.argv[1:] == ["check"]:
        check()
        return
    from ministack import app  # type: ignore[import-untyped]  # noqa: PLC0415  (slow to import)

    threading.Thread(target=make_resources, daemon=True).start()
    app.main()


if __name__ == "__main__":
    main()
