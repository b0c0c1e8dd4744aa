"""A bucket with hostile uploads: other objects are not affected.

One in five of a thousand objects is costly beyond all proportion or brings its decoder down. The
process is the real one, with its memory held to what Lambda would give it, and so are the requests
to S3; only the decoder's faults are made, for none are known.
"""

from __future__ import annotations

import json
import random
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.support.cloud import Bucket
from tests.support.costly_files import bomb, line_scan, many_scans, wide_tile
from tests.support.deliveries import handed_back, notification, queued
from tests.support.images import pink_noise, png_bytes
from tests.support.poison import PROGRAM, poisoned
from tests.support.runtime import Function, environment
from tests.system.chaos.simulation import moto_s3

pytest.importorskip("awslambdaric", reason="Amazon's client exists for Linux only")

OBJECTS, BATCH, MOST_RECEIVES = 1000, 10, 5
MEMORY = 512  # MB
SEED = 20261127

VARIANT = f"""
from fft_tool.runs import child_process
child_process.PROGRAM = {PROGRAM!r}
from handler.entry import handle
"""


def poison(dice: random.Random, number: int) -> tuple[str, bytes]:
    """The kind and the contents of a disproportionately expensive file."""
    kinds: dict[str, Callable[[], bytes]] = {
        **{deed: partial(poisoned, deed, number) for deed in BREAKING},
        "line scan": lambda: line_scan(dice.randint(20_000_000, 40_000_000)),
        "bomb": bomb,
        "tile": wide_tile,
        "scans": many_scans,
    }
    # One that never finishes takes eleven seconds, so a few of them have to be enough.
    kind = "hang" if number in (37, 641) else dice.choice([*kinds])
    return kind, poisoned("hang", number) if kind == "hang" else kinds[kind]()


BREAKING = ("crash", "eat", "leave", "kill", "babble", "forge")


@pytest.fixture
def bucket(aws_keys: None) -> Iterator[Bucket]:  # noqa: ARG001
    with moto_s3() as url:
        made = Bucket(f"poison-{uuid.uuid4().hex}", url)
        made.create()
        yield made


def resident(pid: int) -> int:
    """Peak memory of a process so far, in bytes."""
    text = Path(f"/proc/{pid}/status").read_text()
    return int(text.partition("VmHWM:")[2].split()[0]) << 10


@pytest.mark.slow
def test_good_objects_among_poisonous_ones_are_done_in_the_first_round(
    bucket: Bucket, tmp_path: Path
) -> None:
    dice = random.Random(SEED)
    bad = set(dice.sample(range(OBJECTS), OBJECTS // 5)) | {37, 641}
    kinds: dict[str, str] = {}
    for number in range(OBJECTS):
        key = f"input/{number:04}.png"
        if number in bad:
            kinds[key], data = poison(dice, number)
        else:
            data = png_bytes(pink_noise((24, 32), seed=number))
        bucket.put(key, data)
    keys = [f"input/{number:04}.png" for number in range(OBJECTS)]
    (tmp_path / "variant.py").write_text(VARIANT)
    path = f"{tmp_path}:{environment('', '', 0)['PYTHONPATH']}"
    environ = {"AWS_ENDPOINT_URL": bucket.endpoint, "PYTHONPATH": path}
    answered: list[str] = []
    with Function("variant.handle", memory=MEMORY, environ=environ) as function:
        for start in range(0, OBJECTS, BATCH):
            batch = keys[start : start + BATCH]
            event = queued(*(notification(bucket.name, key) for key in batch))
            answered += handed_back(function.invoke(event, remaining=60).returned)
        lines = [line for line in function.log if "outcome" in line]
        most = resident(function.process.pid)
    assert answered == [], "no message comes back, so none can become a dead letter"
    outcomes = {line["key"]: line for line in lines}
    assert len(lines) == len(outcomes) == OBJECTS
    wrong = [key for key in keys if key not in kinds and outcomes[key]["outcome"] != "done"]
    assert not wrong
    told = Counter(
        (kinds[key], outcomes[key]["outcome"], (outcomes[key]["error"] or {}).get("code"))
        for key in kinds
    )
    assert {outcome for _, outcome, _ in told} == {"rejected"}, told
    for kind in (*BREAKING, "hang"):
        assert {code for name, _, code in told if name == kind} <= {"too-costly"}
    record = json.loads(bucket.get(f"output/{min(kinds)[6:10]}_metadata.json"))
    assert record["outcome"] == "rejected"
    assert most < 64 << 20, "the process that answers holds no image but those on their way"
