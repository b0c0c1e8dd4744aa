"""The benchmarks of the Lambda: S3 on loopback, contenders, bills and page."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from fft_tool.errors import NotFound
from fft_tool.stores.opening import open_store

pytest.importorskip("awslambdaric", reason="Amazon's client exists for Linux only")

FOLDER = Path(__file__).parents[2] / "benchmarks"
DOCUMENT = FOLDER.parent / "docs" / "benchmarks-lambda.md"

# The folder is not a package: its scripts import each other from the folder they are started in.
with mock.patch.object(sys, "path", [str(FOLDER), *sys.path]):
    dollars = import_module("lambda_dollars")
    loopback_s3 = import_module("scripts.loopback_s3")
    measure = import_module("measure")
    plan = import_module("lambda_plan")
    prices = import_module("prices")
    resources = import_module("lambda_resources")
    run_lambda = import_module("run_lambda")
    stage = import_module("lambda_stage")
    times = import_module("lambda_times")


@pytest.fixture(scope="module")
def opened() -> Iterator[Any]:
    with stage.open_stage() as opened:
        yield opened


@pytest.fixture
def s3(opened: Any, aws_keys: None, monkeypatch: pytest.MonkeyPatch) -> Any:  # noqa: ARG001
    """S3 on loopback, with environment variables that point clients to it."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", opened.s3.url)
    opened.s3.requests()
    return opened.s3


@pytest.fixture
def boto3_client(s3: Any) -> Any:
    import boto3  # noqa: PLC0415  (costs half a second, and few tests need it)

    return boto3.client("s3", endpoint_url=s3.url)


# S3 on loopback


KEY = "folder/ä b+c%41.png"


def test_one_client_can_get_what_another_has_put(s3: Any, boto3_client: Any) -> None:
    store, place = open_store("s3://bucket"), {"Bucket": "bucket", "Key": KEY}

    store.write(KEY, b"ours", content_type="image/png", metadata={"crop": "square"})
    found = boto3_client.get_object(**place)
    assert found["Body"].read() == b"ours"
    assert (found["ContentType"], found["Metadata"]) == ("image/png", {"crop": "square"})

    boto3_client.put_object(Body=b"theirs", Metadata={"bits": "16"}, **place)
    stored = store.read(KEY)
    assert (stored.data, stored.stat.metadata) == (b"theirs", {"bits": "16"})
    assert stored.stat.etag == boto3_client.head_object(**place)["ETag"]
    assert s3.requests() == {"PUT": 2, "GET": 2, "HEAD": 1}


def test_large_object_is_complete_however_it_is_sent(s3: Any, boto3_client: Any) -> None:  # noqa: ARG001
    store, data = open_store("s3://bucket"), bytes(range(256)) * (12 << 12)
    store.write("large", data)
    assert store.read("large").data == data
    boto3_client.upload_fileobj(io.BytesIO(data), "bucket", "large again")
    assert store.read("large again").data == data


def test_missing_object_is_reported(s3: Any, boto3_client: Any) -> None:  # noqa: ARG001
    with pytest.raises(NotFound):
        open_store("s3://bucket").read("missing")
    with pytest.raises(boto3_client.exceptions.NoSuchKey):
        boto3_client.get_object(Bucket="bucket", Key="missing")


def test_tag_changes_with_the_content() -> None:
    contents = [b"", b"a", b"b", b"aa", bytes(99)]
    assert len({loopback_s3.tag_of(content) for content in contents}) == len(contents)


SIGNED = b"5;chunk-signature=0\r\nhello\r\n0;chunk-signature=1\r\nx-amz-checksum:1\r\n\r\n"


@pytest.mark.parametrize(
    ("headers", "sent"),
    [
        pytest.param({}, b"hello", id="plain"),
        pytest.param(
            {"transfer-encoding": "chunked"}, b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", id="HTTP"
        ),
        pytest.param({"content-encoding": "aws-chunked"}, SIGNED, id="AWS"),
        pytest.param(
            {"content-encoding": "aws-chunked", "transfer-encoding": "chunked"},
            b"f\r\n5\r\nhello\r\n0\r\n\r\n\r\n0\r\n\r\n",
            id="both",
        ),
    ],
)
def test_chunked_bodies_are_decoded(headers: dict[str, str], sent: bytes) -> None:
    stream = io.BytesIO(sent + b"next")
    length = {} if "transfer-encoding" in headers else {"content-length": str(len(sent))}
    assert loopback_s3.read_body(stream, headers | length) == b"hello"
    assert stream.read() == b"next"


# The contenders


@pytest.mark.slow
@pytest.mark.parametrize("contender", stage.CONTENDERS, ids=lambda contender: contender.name)
def test_contender_gives_the_pictures_that_numpy_gives(opened: Any, contender: Any) -> None:
    with opened.running(contender.handler, plan.ONE_CPU) as function:
        opened.check(contender, function, 64)


def test_contender_that_fails_is_not_timed(opened: Any) -> None:
    plain = stage.CONTENDERS[1]
    with (
        opened.running(plain.handler, plan.ONE_CPU) as function,
        pytest.raises(measure.CommandFailed, match="NoSuchKey"),
    ):
        plain.call(function, "missing")


# Bills


USAGE = times.Usage({"GET": 1, "HEAD": 1, "PUT": 3}, log_bytes=1000, metrics=6)


def test_bill_follows_the_price_list() -> None:
    bill = dollars.Bill.of(0.1, plan.Share(1, 1024), USAGE, queued=True)
    assert bill.x86_64 == pytest.approx(0.1 * 16.6667)
    assert bill.arm64 == pytest.approx(0.1 * 13.3334)
    assert bill.invocations == pytest.approx(0.20)
    assert bill.puts == pytest.approx(15.00)
    assert bill.gets == pytest.approx(0.80)
    assert bill.queue == pytest.approx(1.20)
    assert 0.50 < bill.logs < 1.00


def test_a_function_without_a_queue_has_no_queue_costs() -> None:
    assert dollars.Bill.of(0.1, plan.ONE_CPU, USAGE, queued=False).queue == 0


def test_billed_time_is_rounded_up_to_milliseconds() -> None:
    assert [dollars.billed_seconds(seconds) for seconds in (0.0101, 0.011, 0.0111)] == [
        0.011,
        0.011,
        0.012,
    ]


@pytest.mark.parametrize(
    ("price", "text"),
    [
        (prices.Price(0.0000166667, 1, "GB-second"), "$0.0000166667 a GB-second"),
        (prices.Price(0.20, 1_000_000, "requests"), "$0.20 for 1,000,000 requests"),
    ],
)
def test_price_is_shown_as_published(price: Any, text: str) -> None:
    assert str(price) == text


# The tables


def warm(side: int) -> Any:
    seconds = {
        "ours": (0.120, 0.110, 0.210),
        "plain handler": (0.660, 0.660, 0.760),
        times.CORE: (0.105, 0.100, 0.200),
        times.UNRECORDED: (0.065, 0.060, 0.060),
    }
    return times.Warm(
        plan.ONE_CPU,
        side,
        {name: measure.Times(rounds) for name, rounds in seconds.items()},
        {step: measure.Times((0.002,)) for step in times.S3_STEPS},
        {"ours": USAGE, "plain handler": USAGE},
    )


def test_overhead_is_the_difference_of_handler_and_core() -> None:
    added, waited = times.beyond(plan.FULL, [warm(512)]).rows
    assert (added.value, added.verdict) == (pytest.approx(10), "met")
    assert waited.value == pytest.approx(8)


def test_the_goal_applies_only_to_large_images() -> None:
    small, _, large, recorded = times.whole(plan.FULL, [warm(512), warm(2048)]).rows
    assert (small.verdict, large.verdict) == ("", "met")
    assert large.value == pytest.approx(6)
    assert recorded.ours == "40.0 ms"


def test_bills_are_shown_side_by_side_with_totals() -> None:
    section = dollars.dollars(plan.FULL, [warm(2048)])
    rows = {row.what: row for row in section.rows}
    parts = [
        row for what, row in rows.items() if not what.startswith("all") and "arm64" not in what
    ]
    total = sum(float(row.ours.strip("$")) for row in parts)
    assert float(rows["all, x86-64"].ours.strip("$")) == pytest.approx(total, abs=0.05)
    assert rows["compute, x86-64"].value == pytest.approx(660 / 120)
    assert "120 and 660 ms" in section.how
    assert "our 6 metrics come to $1.80 a month" in section.how


def test_peak_memory_is_parsed_from_proc_status() -> None:
    assert resources.high_water("Name:\tpython\nVmHWM:\t    2048 kB\nVmRSS:\t 1 kB\n") == 2 << 20
    assert resources.high_water(Path("/proc/self/status").read_text("ascii")) > 1 << 20


@pytest.mark.parametrize(
    ("count", "text"), [(1, "1 byte"), (1000, "1000 bytes"), (256 << 10, "0.25 MiB")]
)
def test_size_of_an_object_is_readable(count: int, text: str) -> None:
    assert resources.size_text(count) == text


# Complete runs


@pytest.mark.slow
def test_quick_run_measures_everything_and_writes_only_the_given_file(tmp_path: Path) -> None:
    before = DOCUMENT.read_bytes() if DOCUMENT.exists() else None
    page = tmp_path / "page.md"
    command = [sys.executable, str(FOLDER / "run_lambda.py"), "--quick", "--out", str(page)]
    subprocess.run(command, check=True, capture_output=True)
    text = page.read_text("utf-8")
    assert text.startswith("# Benchmarks of the Lambda\n")
    assert text.count("\n## ") == 7
    assert "No goals were judged." in text
    assert (DOCUMENT.read_bytes() if DOCUMENT.exists() else None) == before
