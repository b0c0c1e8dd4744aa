"""Convergence under chaos: whatever goes wrong, each object ends in the right state.

The function and S3 are real; see :mod:`tests.system.chaos`. Uploads and faults are determined by a
seed: ``CHAOS_SEED=7 pytest tests/system/test_chaos.py`` tries different faults, or repeats those of
a failure. Scheduling is not determined: which process handles a message, how often an object is
tried, and therefore how many of its planned faults occur, depend on the machine.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from tests.support.cloud import Bucket
from tests.support.images import noise, png_bytes
from tests.system.chaos.dice import Dice
from tests.system.chaos.load import Plan, Planner, Scale, Version
from tests.system.chaos.queue import MOST_RECEIVES, Message, Queue
from tests.system.chaos.simulation import Simulation, moto_s3
from tests.system.chaos.verdict import Found, judge, make

SMALL = Scale(objects=60, uploads=140, workers=2, overwritten=0.3)
LARGE = Scale(objects=330, uploads=1000, workers=3)
GAMES = ((1, SMALL), (2, SMALL), (3, LARGE))
SEED = os.environ.get("CHAOS_SEED")
PLAYED = dict.fromkeys((int(SEED or seed), scale) for seed, scale in GAMES)

FAULTS = ("400", "403", "409", "500", "503", "cut before", "cut after", "cut half", "slow")


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    with moto_s3() as url:
        yield url


@pytest.fixture
def bucket(s3: str, aws_keys: None) -> Bucket:  # noqa: ARG001
    made = Bucket(f"chaos-{uuid.uuid4().hex}", s3)
    made.create()
    return made


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seed", "scale"),
    PLAYED,
    ids=[f"{scale.objects}-objects-seed-{seed}" for seed, scale in PLAYED],
)
def test_every_object_ends_with_the_outputs_of_its_latest_version_and_no_event_is_lost(
    seed: int, scale: Scale, bucket: Bucket
) -> None:
    ending = Simulation(seed, scale, bucket).run()
    if ending.wrong:
        pytest.fail(str(ending), pytrace=False)
    # The faults have really occurred.
    tally = ending.tally
    assert tally["put"] + tally["overwritten during processing"] == scale.uploads
    assert tally["repeated"] >= scale.repeated * scale.uploads
    assert tally["reordered"] >= scale.held_back * scale.uploads
    assert tally["overwritten during processing"] >= scale.overwritten * scale.objects
    assert tally["overtaken"] >= 0.5 * tally["overwritten during processing"]
    assert sum(tally[fault] for fault in FAULTS) >= 0.05 * tally["requests"]
    assert tally["killed"] > scale.workers


def test_the_large_run_has_the_documented_size() -> None:
    plans = Planner(Dice(0), LARGE).load().plans.values()
    versions = [version for plan in plans for version in plan.versions]
    assert len(plans) >= 300
    assert len(versions) >= 1000
    assert len({version.data for version in versions}) >= 300
    assert sum(len(plan.repeated) for plan in plans) >= 100
    assert sum(len(plan.held_back) for plan in plans) >= 100
    assert sum(bool(plan.overwritings) for plan in plans) >= 30
    assert sum(version.change == "corrupt" for version in versions) >= 45


def test_a_run_is_determined_by_its_seed() -> None:
    assert Planner(Dice(1), SMALL).load() == Planner(Dice(1), SMALL).load()
    assert Planner(Dice(1), SMALL).load() != Planner(Dice(2), SMALL).load()


# The final check.

GOOD = Version(0, "both", png_bytes(noise((16, 20))), {"filter": "lowpass:4"})
BETTER = Version(1, "both", png_bytes(noise((20, 16))), {})
BAD = Version(1, "corrupt", b"not an image", {})
KEY = "input/a b.png"


def left_by(version: Version) -> dict[str, Found]:
    """The contents of the bucket after a good version."""
    made = make(KEY, version).outputs.items()
    names = {kind: (f"output/a b_{kind}.png", "image/png") for kind, _ in made}
    names["metadata"] = "output/a b_metadata.json", "application/json"
    return {names[kind][0]: Found(data, names[kind][1]) for kind, data in made}


def judged(found: dict[str, Found], *versions: Version) -> str:
    plan = Plan(KEY, versions, (), frozenset(), frozenset())
    return "\n".join(f"{wrong.key}: {wrong.text}" for wrong in judge({KEY: plan}, found))


def rejection(**changes: Any) -> Found:
    digest = sha256(BAD.data).hexdigest()
    record = {
        "outcome": "rejected",
        "error": {"code": "unknown-format"},
        "source": {"sha256": digest},
        "artifacts": [],
    }
    return Found(json.dumps(record | changes).encode(), "application/json")


def test_judge_accepts_the_outputs_of_the_latest_version() -> None:
    assert not judged(left_by(GOOD), GOOD)
    assert not judged(left_by(GOOD) | left_by(BETTER), GOOD, BETTER)
    assert not judged({"output/a b_metadata.json": rejection()}, BAD)
    assert not judged(left_by(GOOD) | {"output/a b_metadata.json": rejection()}, GOOD, BAD)


@pytest.mark.parametrize("name", sorted(left_by(BETTER)))
def test_judge_reports_every_missing_output(name: str) -> None:
    found = left_by(BETTER)
    del found[name]
    assert "is missing; expected that of version 1" in judged(found, GOOD, BETTER)


@pytest.mark.parametrize("name", sorted(left_by(BETTER)))
def test_judge_reports_outdated_outputs(name: str) -> None:
    found = left_by(BETTER) | {name: left_by(GOOD)[name]}
    assert "is that of version 0" in judged(found, GOOD, BETTER)


def test_judge_reports_outputs_of_no_version() -> None:
    strange = Found(b"", "image/png")
    assert "output/b.png: should not exist" in judged(
        left_by(GOOD) | {"output/b.png": strange}, GOOD
    )
    half = {"output/a b_filtered.png": strange}
    assert "its filtered is that of no version" in judged(left_by(BETTER) | half, GOOD, BETTER)
    plain = {name: replace(found, content_type="") for name, found in left_by(GOOD).items()}
    assert judged(plain, GOOD).count("has content type") == 4


@pytest.mark.parametrize(
    "changes",
    [
        {"outcome": "done"},
        {"error": {"code": "corrupt-image"}},
        {"source": {"sha256": sha256(GOOD.data).hexdigest()}},
        {"artifacts": [{"name": "a b_magnitude.png"}]},
    ],
)
def test_judge_checks_records_of_rejections(changes: dict[str, Any]) -> None:
    assert "its record says" in judged({"output/a b_metadata.json": rejection(**changes)}, BAD)
    assert "its record is missing" in judged({}, BAD)


# The queue.


def test_queue_delivers_a_message_again_until_it_is_deleted() -> None:
    queue = Queue(Dice(0))
    queue.send(Message("1", "text"))
    queue.close()
    for count in (1, 2, 3):
        batch = queue.receive()
        assert [(message.identifier, message.received) for message in batch] == [("1", count)]
        queue.complete(batch, again=batch if count < 3 else [])
    assert queue.receive() == []
    assert not queue.dead


def test_queue_delivers_messages_in_any_order_and_in_batches() -> None:
    queue = Queue(Dice(0))
    sent = [f"{number:02}" for number in range(50)]
    for identifier in sent:
        queue.send(Message(identifier, "text"))
    queue.close()
    received, sizes = [], set()
    while batch := queue.receive():
        received += [message.identifier for message in batch]
        sizes.add(len(batch))
        queue.complete(batch, again=[])
    assert received != sent
    assert sorted(received) == sent
    assert sizes == {1, 2, 3, 4, 5}


@pytest.mark.parametrize("doomed", [True, False])
def test_queue_moves_a_message_to_the_dead_letters_at_last(doomed: bool) -> None:
    queue = Queue(Dice(0))
    message = Message("1", "text", doomed=doomed)
    queue.send(message)
    queue.close()
    while batch := queue.receive():
        queue.complete(batch, again=batch)
    assert message.received == MOST_RECEIVES
    assert queue.dead == [message]
    assert queue.lost == ([] if doomed else [message])
