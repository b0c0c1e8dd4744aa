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
import traceback
from typing import Any
from urllib.request import urlopen

TABLE_KEY = "ip_address"
SECONDS = 60  # that starting may take


def make_resources() -> None:
    """Create what is missing, once the emulator answers; end this process if that fails."""
    try:
        _wait()
        s3, dynamodb = _client("s3"), _client("dynamodb")
        bucket, table = os.environ["SERVICE_BUCKET"], os.environ["RATE_TABLE"]
        if bucket not in [each["Name"] for each in s3.list_buckets()["Buckets"]]:
            place = {"LocationConstraint": os.environ["AWS_REGION"]}
            s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=place)
        if table not in dynamodb.list_tables()["TableNames"]:
            dynamodb.create_table(
                TableName=table,
                AttributeDefinitions=[{"AttributeName": TABLE_KEY, "AttributeType": "S"}],
                KeySchema=[{"AttributeName": TABLE_KEY, "KeyType": "HASH"}],
                BillingMode="PAY_PER_REQUEST",
            )
    except Exception:  # noqa: BLE001  (whatever it is, nothing works without them)
        traceback.print_exc()
        os._exit(1)  # the emulator holds the main thread


def check() -> None:
    """Exit with an error unless the bucket and the table are there."""
    _client("s3").head_bucket(Bucket=os.environ["SERVICE_BUCKET"])
    _client("dynamodb").describe_table(TableName=os.environ["RATE_TABLE"])


def _wait() -> None:
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            with urlopen(f"{_endpoint()}/_ministack/health", timeout=5):  # noqa: S310  (this machine)
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def _client(service: str) -> Any:
    import boto3  # noqa: PLC0415  (takes most of a second)

    region = os.environ["AWS_REGION"]
    return boto3.client(service, endpoint_url=_endpoint(), region_name=region)


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
