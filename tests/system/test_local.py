"""The whole local AWS: put → notification → queue → function → outputs, and its commands."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

import fft_tool
from tests.support.command import environment, tool
from tests.support.images import noise, png_bytes
from tests.support.local_cloud import REAL_KEY, Laptop, free_port, started, wait_until
from tools.errors import ToolError
from tools.local_aws.cloud import DEAD_LETTERS, own_settings
from tools.local_aws.drop import Bucket
from tools.local_aws.package import ROOT
from tools.local_aws.resource import NAME

IMAGE = png_bytes(noise((48, 64)))
OTHER = png_bytes(noise((40, 30), seed=1))

AWKWARD = {
    "spaces": "two  words .png",
    "plus": "a+b.png",
    "percent": "100%.png",
    "encoded": "100%25+%2B.png",
    "umlauts": "Größe.png",
    "decomposed": "Gro\u0308\u00dfe.png",
    "emoji": "🌲🌳.png",
    "punctuation": "=?&#;,'\"(){}[]<>|*~`^.png",
    "deep": "/".join("abcdefghijklmnopqrstuvwxyz") + "/deep.png",
    "long": "long/" + "x" * (1000 - len("input/long/.png")) + ".png",
    "long umlauts": "ü" * 480 + ".png",
    "not called png": "photo.jpg",
}


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    """A local AWS for all tests of this module; it is removed completely afterwards."""
    with started(tmp_path_factory.mktemp("laptop") / "state") as place:
        yield place


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    (folder / "deep down").mkdir(parents=True)
    (folder / "one.png").write_bytes(IMAGE)
    (folder / "deep down" / "two.png").write_bytes(OTHER)
    return folder


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, {"FFT_BUCKET": NAME}),
        ({"FFT_BUCKET": "other"}, {"FFT_BUCKET": "other"}),
        ({"FFT_BUCKETS": "one,two"}, {"FFT_BUCKETS": "one,two"}),
    ],
)
def test_the_local_function_accepts_only_the_local_bucket_by_default(
    given: dict[str, str], told: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("FFT_")]:
        monkeypatch.delenv(name)
    for name, text in given.items():
        monkeypatch.setenv(name, text)
    assert own_settings() == told


def analysed(folder: Path, out: Path, *words: str) -> dict[str, bytes]:
    """The outputs of the command line for a folder."""
    done = tool("analyze", folder, "-o", out, "--metadata", *words, cwd=out.parent)
    assert done.code == 0, done.err
    files = (path for path in out.rglob("*") if path.is_file())
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in files}


# From images to spectra.


@pytest.mark.slow
def test_dropped_images_give_what_the_command_line_gives(
    laptop: Laptop, images: Path, tmp_path: Path
) -> None:
    recipe = ("--crop", "3,4,21,22", "--bits", "16", "--window", "hann")
    dropped = laptop.run("drop", images, *recipe)
    assert dropped.code == 0, dropped.err
    expected = analysed(images, tmp_path / "out", *recipe)
    assert len(expected) == 8
    assert {name: laptop.get(f"output/{name}") for name in expected} == expected


@pytest.mark.slow
def test_drop_prints_where_a_browser_finds_each_output(laptop: Laptop, tmp_path: Path) -> None:
    file = tmp_path / "zwei Wörter+1%.png"
    file.write_bytes(IMAGE)
    dropped = laptop.run("drop", file, "--SMART_CROP=8,8", "--colour=yes")
    assert dropped.code == 0, dropped.err
    assert "smart-crop=8,8  colour=yes" in dropped.err
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    found = [direct.open(url).read() for url in dropped.lines]
    recipe = fft_tool.Recipe(smart_crop=(8, 8), colour=True, metadata=True)
    outputs = fft_tool.run(fft_tool.Source(file.name, IMAGE), recipe)
    assert found == [artifact.data for artifact in outputs]


@pytest.mark.slow
def test_drop_waits_for_its_own_upload(laptop: Laptop, tmp_path: Path) -> None:
    file = tmp_path / "again.png"
    for data, bits in ((IMAGE, "8"), (IMAGE, "8"), (IMAGE, "16"), (OTHER, "16")):
        file.write_bytes(data)
        before = done_with("again.png", laptop)
        dropped = laptop.run("drop", file, "--bits", bits)
        assert dropped.code == 0, dropped.err
        assert done_with("again.png", laptop) == before + 1
        record = laptop.record("output/again_metadata.json")
        assert record["source"]["sha256"] == fft_tool.Source("", data).sha256
        assert record["recipe"]["values"]["bits"] == bits


def done_with(name: str, laptop: Laptop) -> int:
    ends = [(line["key"], line["outcome"]) for line in laptop.summaries()]
    return ends.count((f"input/{name}", "done"))


@pytest.mark.slow
def test_drop_ignores_log_lines_of_an_earlier_upload(laptop: Laptop, tmp_path: Path) -> None:
    file = tmp_path / "late.png"
    file.write_bytes(IMAGE)
    laptop.put("input/late.png", IMAGE, window="hann")
    laptop.wait_for_names(["output/late_metadata.json"])
    with laptop.paused():
        laptop.log({"key": "input/late.png", "outcome": "done", "total_ms": 1.0, "cold": False})
        with pytest.raises(
            ToolError, match=r"no outcome of input/late.png within the time limit: see `make logs`"
        ):
            Bucket(laptop.aws).drop([str(file)], {}, seconds=1)
    wait_until(lambda: done_with("late.png", laptop) == 3)  # the second line is forged


@pytest.mark.slow
def test_drop_reports_at_once_that_a_later_upload_has_replaced_its_own(
    laptop: Laptop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "overtaken.png"
    file.write_bytes(IMAGE)
    bucket = Bucket(laptop.aws)
    with laptop.paused(), ThreadPoolExecutor(1) as dropping:
        dropped = dropping.submit(bucket.drop, [str(file)], {}, 60)
        wait_until(lambda: "input/overtaken.png" in laptop.names())
        laptop.put("input/overtaken.png", OTHER)
        assert dropped.result(30) is False
    assert "overtaken.png: superseded: a later upload has replaced it" in capsys.readouterr().err


@pytest.mark.slow
def test_drop_reads_the_record_where_the_log_has_no_line(
    laptop: Laptop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "unlogged.png"
    file.write_bytes(IMAGE)
    source = fft_tool.Source("unlogged.png", IMAGE)
    outputs = fft_tool.run(source, fft_tool.Recipe(metadata=True))
    with laptop.paused(), ThreadPoolExecutor(1) as dropping:
        dropped = dropping.submit(Bucket(laptop.aws).drop, [str(file)], {}, 60)
        wait_until(lambda: "input/unlogged.png" in laptop.names())
        for artifact in outputs:
            laptop.put(f"output/{artifact.name}", artifact.data)
        assert dropped.result(30) is True
    told = capsys.readouterr()
    assert "unlogged.png: done (according to its record; there is no log line)" in told.err
    assert len(told.out.splitlines()) == 3


@pytest.mark.slow
def test_a_corrupt_image_is_reported_and_recorded_as_rejected(
    laptop: Laptop, tmp_path: Path
) -> None:
    good, bad = tmp_path / "good.png", tmp_path / "bad.png"
    good.write_bytes(IMAGE)
    bad.write_bytes(IMAGE[:500])
    dropped = laptop.run("drop", bad, good)
    assert dropped.code == 1
    assert "bad.png: rejected: corrupt-image: " in dropped.err
    assert "good.png: done" in dropped.err
    record = laptop.record("output/bad_metadata.json")
    assert (record["outcome"], record["error"]["code"]) == ("rejected", "corrupt-image")
    assert record["error"]["message"] in dropped.err
    assert laptop.names("output/bad") == {"output/bad_metadata.json"}


@pytest.fixture(scope="module")
def awkward(laptop: Laptop) -> Laptop:
    for index, name in enumerate(AWKWARD.values()):
        laptop.put(f"input/{name}", png_bytes(noise((9, 9 + index))), Bits="16")
    laptop.wait_for_names(record_key(name) for name in AWKWARD.values())
    return laptop


def record_key(name: str) -> str:
    return f"output/{name.removesuffix('.png')}_metadata.json"


@pytest.mark.slow
@pytest.mark.parametrize("name", AWKWARD.values(), ids=AWKWARD.keys())
def test_unusual_keys_are_processed(awkward: Laptop, name: str) -> None:
    data = awkward.get(f"input/{name}")
    source = fft_tool.Source(name, data)
    outputs = fft_tool.run(source, fft_tool.Recipe(bits=16, metadata=True))
    for artifact in outputs:
        assert awkward.get(f"output/{artifact.name}") == artifact.data


@pytest.mark.slow
def test_a_key_too_long_for_its_outputs_is_reported(laptop: Laptop) -> None:
    key = "input/" + "y" * (1024 - len("input/.png")) + ".png"
    laptop.put(key, IMAGE)
    wait_until(lambda: any(line["key"] == key for line in laptop.summaries()))
    (line,) = (line for line in laptop.summaries() if line["key"] == key)
    assert (line["outcome"], line["error"]["code"]) == ("rejected", "key-too-long")


@pytest.mark.slow
def test_the_printed_upload_line_can_be_copied(laptop: Laptop, images: Path) -> None:
    told = laptop.run("up").err.replace("\\\n", "")
    (line,) = (line for line in told.splitlines() if " upload " in line)
    (keys,) = (line for line in told.splitlines() if "export " in line)
    line = (
        f"{keys.strip()}; {line.strip()}".replace("input_images", shlex.quote(str(images)))
        + "copied --bits 16"
    )
    home = environment(AWS_EC2_METADATA_DISABLED="true", AWS_CONFIG_FILE=os.devnull)
    subprocess.run(["sh", "-c", line], check=True, env=home, cwd=ROOT, capture_output=True)
    laptop.wait_for_names(["output/copied/one_metadata.json"])
    record = laptop.record("output/copied/one_metadata.json")
    assert record["recipe"]["text"] == "bits=16 metadata=yes"


@pytest.mark.slow
def test_a_malformed_message_becomes_a_dead_letter_alone(laptop: Laptop) -> None:
    sqs = laptop.aws.sqs
    queue, dead = (sqs.get_queue_url(QueueName=name)["QueueUrl"] for name in (NAME, DEAD_LETTERS))
    usual = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["VisibilityTimeout"])
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "1"})
    bodies = ("this is not an event", json.dumps(notification("input/not-there.png")))
    entries = [{"Id": str(index), "MessageBody": body} for index, body in enumerate(bodies)]
    sent = sqs.send_message_batch(QueueUrl=queue, Entries=entries)["Successful"]
    found = sqs.receive_message(QueueUrl=dead, WaitTimeSeconds=20)["Messages"]
    sqs.set_queue_attributes(QueueUrl=queue, Attributes=usual["Attributes"])
    assert [(message["MessageId"], message["Body"]) for message in found] == [
        (sent[0]["MessageId"], bodies[0])
    ]
    malformed = [line for line in laptop.summaries() if line["outcome"] == "failed"]
    assert [line["attempt"] for line in malformed] == [1, 2, 3]
    assert {line["error"]["code"] for line in malformed} == {"malformed-event"}
    beside = [line for line in laptop.summaries() if line["key"] == "input/not-there.png"]
    assert [line["outcome"] for line in beside] == ["missing"]


@pytest.mark.slow
def test_dead_letters_can_be_sent_back(laptop: Laptop) -> None:
    sqs = laptop.aws.sqs
    dead = sqs.get_queue_url(QueueName=DEAD_LETTERS)["QueueUrl"]
    sqs.purge_queue(QueueUrl=dead)
    keys = [f"input/redriven/{number}.png" for number in range(12)]
    with laptop.paused():
        for key in keys:
            laptop.put(key, IMAGE)
            sqs.send_message(QueueUrl=dead, MessageBody=json.dumps(notification(key)))
        queue = sqs.get_queue_url(QueueName=NAME)["QueueUrl"]
        sqs.purge_queue(QueueUrl=queue)
        assert laptop.run("redrive").err == "local AWS: 12 dead letters are back in the queue\n"
    laptop.wait_for_names(f"output/redriven/{number}_metadata.json" for number in range(12))
    assert laptop.run("redrive").err == "local AWS: no dead letters are back in the queue\n"


def notification(key: str) -> dict[str, Any]:
    what = {"bucket": {"name": NAME}, "object": {"key": key}}
    kind = {"eventVersion": "2.1", "eventSource": "aws:s3", "eventName": "ObjectCreated:Put"}
    return {"Records": [{**kind, "s3": what}]}


# Errors before anything is uploaded.


@pytest.mark.slow
def test_an_unknown_make_variable_is_named_with_the_known_ones(
    laptop: Laptop, tmp_path: Path
) -> None:
    (tmp_path / "mistaken.png").write_bytes(IMAGE)
    dropped = laptop.run(
        "drop", "--variables", "IMG BTIS", "--", tmp_path / "mistaken.png", BTIS="16"
    )
    assert dropped.code == 2
    assert "BTIS: unknown, did you mean BITS? Known: BACKGROUND, BITS, " in dropped.err
    assert "SMART_CROP" in dropped.err
    assert "input/mistaken.png" not in laptop.names()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--CORP=1,2,3,4"], 2, "--corp=1,2,3,4"),
        (["--bits=12", "--window=hanning"], 1, "window='hanning'.*bits='12'"),
        (["--metadata=no"], 1, "metadata='no'"),
        (["nowhere.png"], 1, "nowhere.png: no such file"),
        (["s3://bucket/key.png"], 2, "should be a file"),
        ([""], 2, "make drop IMG="),
    ],
)
def test_a_mistake_is_reported_and_nothing_uploaded(
    laptop: Laptop, tmp_path: Path, words: list[str], code: int, told: str
) -> None:
    (tmp_path / "mistaken.png").write_bytes(IMAGE)
    dropped = laptop.run("drop", tmp_path / "mistaken.png", *words)
    assert dropped.code == code
    assert not dropped.out
    assert re.search(told, dropped.err)
    assert "input/mistaken.png" not in laptop.names()


# Logs, status and isolation.


@pytest.mark.slow
def test_logs_are_readable(laptop: Laptop, tmp_path: Path) -> None:
    (tmp_path / "seen.png").write_bytes(IMAGE)
    laptop.run("drop", tmp_path / "seen.png")
    shown = laptop.run("logs", "--once")
    assert shown.code == 0
    (line,) = (line for line in shown.lines if "input/seen.png" in line)
    assert re.fullmatch(r"\d\d:\d\d:\d\d  done      input/seen.png  64 × 48  3 kB  \d+ ms.*", line)
    assert not re.search("RequestId:|\x1b", shown.out.decode())


@pytest.mark.slow
def test_logs_follow_new_lines_until_interrupted(laptop: Laptop) -> None:
    with laptop.start("logs") as following:
        assert following.stdout
        laptop.put("input/followed.png", IMAGE)
        assert any("done      input/followed.png" in line for line in following.stdout)
        following.send_signal(signal.SIGINT)
        out, err = following.communicate()
    assert (following.returncode, out, err) == (0, "", "")


@pytest.mark.slow
def test_status_prints_the_address_and_the_queues(laptop: Laptop) -> None:
    status = laptop.run("status")
    assert status.code == 0
    assert status.lines[0].split() == ["endpoint", laptop.aws.endpoint]
    assert re.search(r"queue +\d+ waiting, \d+ in work\ndead letters +\d+\n", status.out.decode())


@pytest.mark.slow
def test_it_listens_on_loopback_and_uses_no_real_account(laptop: Laptop) -> None:
    laptop.put("input/safe.png", IMAGE)
    laptop.wait_for_names(["output/safe_metadata.json"])
    processes = laptop.processes()
    assert len(processes) >= 2
    sockets = [made for process in processes for made in process.net_connections("inet")]
    assert {made.laddr.ip for made in sockets} == {"127.0.0.1"}
    listening = {made.laddr.port for made in sockets if made.status == psutil.CONN_LISTEN}
    assert listening == {laptop.port}
    assert REAL_KEY not in str([process.environ() for process in processes])


@pytest.mark.slow
def test_it_does_not_change_ports_while_running(laptop: Laptop) -> None:
    refused = laptop.run("up", "--port", str(free_port()))
    assert refused.code == 1
    assert (
        refused.err == f"local AWS: already running on port {laptop.port}: run `make down` first\n"
    )
