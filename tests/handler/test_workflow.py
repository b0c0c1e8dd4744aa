"""The workflow's steps under the state machine's own definition: results, refusals, convergence."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Generator, Iterator
from typing import Any

import pytest

from fft_tool import Recipe
from fft_tool.errors import Killed, NotAllowed, StoreUnavailable, TookTooLong
from fft_tool.limits import Limits
from fft_tool.runs.child import Child
from fft_tool.runs.one import Analysed
from fft_tool.stores.memory import MemoryStore
from fft_tool.workflows.run import run_workflow
from handler.errors import MalformedEvent
from handler.settings import Settings
from handler.workflow import RESULTS, Workflow
from handler.workflow_call import Call
from tests.support.images import noise, pink_noise, png_bytes
from tests.support.samples import BUCKET, Context, NotedStore, child, lines
from tests.support.states import Ended, Machine
from tools.local_aws.state_machines import FOLDER, render

Json = dict[str, Any]

IMAGE = png_bytes(pink_noise((24, 32)))
LATER = png_bytes(pink_noise((20, 18), seed=1))
KEY = "workflow/plants/a.png"
FOLDER_OF_RESULTS = f"output/{RESULTS}plants/a/"
MANIFEST = f"{FOLDER_OF_RESULTS}manifest.json"
OPERATIONS = "grayscale,blur:1.5"
TOPIC = "arn:aws:sns:eu-central-1:123456789012:outcomes"

DEFINITION = json.loads(
    render(
        FOLDER / "workflow.asl.json",
        partition="aws",
        topic=TOPIC,
        **{step: step for step in ("plan", "process", "analyse", "finish", "reject")},
    )
)


class Cloud:
    """The state machine with the functions and a store; ``told`` is what the topic was sent.

    ``before`` is called with each function's name before it runs, and may raise what kills it.
    """

    def __init__(self, store: NotedStore | None = None, **variables: str) -> None:
        self.store = store or NotedStore()
        self.told: list[Json] = []
        self.before: Callable[[str], None] = lambda _: None
        self.variables = variables
        self.steps = self.functions(child())
        self.machine = Machine(DEFINITION, self.call)

    def functions(self, process: Child) -> Workflow:
        """The functions, with a process that decodes images."""
        settings = Settings.from_environ(self.variables)
        return Workflow(settings, child=lambda: process, open_bucket=lambda *_: self.store)

    def call(self, target: str, payload: Json) -> Any:
        """Call a function, or publish."""
        if target.endswith("sns:publish"):
            assert payload["TopicArn"] == TOPIC
            assert payload["MessageAttributes"]["outcome"]["StringValue"]
            self.told.append(json.loads(payload["Message"]))
            return {"MessageId": "m"}
        self.before(target)
        return getattr(self.steps, target)(payload, Context())

    def upload(self, data: bytes = IMAGE, key: str = KEY, **metadata: str) -> Json:
        """Upload an object; returns EventBridge's event of it."""
        self.store.upload(key, data, **{"operations": OPERATIONS, **metadata})
        return self.event(key)

    def event(self, key: str = KEY) -> Json:
        """EventBridge's event of an object as it is now."""
        stat = self.store.objects[key].stat
        about = {"key": key, "size": stat.size, "etag": (stat.etag or "").strip('"')}
        return {"detail": {"bucket": {"name": BUCKET}, "object": about, "requester": "somebody"}}

    def run(self, data: bytes = IMAGE, **metadata: str) -> Ended:
        """Upload an object, and run the workflow for it."""
        return self.machine.finish(self.upload(data, **metadata))

    @property
    def manifest(self) -> Json:
        """The manifest."""
        found: Json = json.loads(self.store.objects[MANIFEST].data)
        return found

    def state(self) -> dict[str, bytes]:
        """The manifest and all that it lists."""
        listed = [f"{FOLDER_OF_RESULTS}{file['name']}" for file in self.manifest["files"]]
        return {name: self.store.objects[name].data for name in (*listed, MANIFEST)}


def undisturbed(data: bytes, **metadata: str) -> dict[str, bytes]:
    """What one run for the last version leaves, made by the core without functions and states."""
    sources, target = MemoryStore(), MemoryStore()
    sources.write("plants/a.png", data, metadata={"operations": OPERATIONS, **metadata})
    run_workflow(sources, target, "plants/a.png", Limits())
    manifest = json.loads(target.read("plants/a/manifest.json").data)
    names = ["manifest.json", *(file["name"] for file in manifest["files"])]
    return {FOLDER_OF_RESULTS + name: target.read(f"plants/a/{name}").data for name in names}


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


# Done.


def test_results_are_those_of_the_core_byte_for_byte(cloud: Cloud) -> None:
    ended = cloud.run()
    assert (ended.status, ended.state) == ("SUCCEEDED", "Done")
    assert cloud.store.outputs() == undisturbed(IMAGE)
    assert cloud.manifest["outcome"] == "done"


def test_the_manifest_is_written_last(cloud: Cloud) -> None:
    cloud.run()
    writes = [call for call in cloud.store.calls if call.startswith("write")]
    assert writes[-1] == f"write {MANIFEST}"
    assert writes.count(f"write {MANIFEST}") == 1


def test_only_the_head_is_read_to_make_the_plan(cloud: Cloud) -> None:
    steps = cloud.machine.run(cloud.upload())
    assert next(steps) == "Plan"
    assert next(steps) == "Process"
    assert f"read {KEY}" not in cloud.store.calls


def test_the_topic_is_told_of_the_outcome_and_the_manifest(cloud: Cloud) -> None:
    cloud.run()
    (told,) = cloud.told
    assert told["outcome"] == "done"
    assert (told["bucket"], told["key"], told["manifest"]) == (BUCKET, KEY, MANIFEST)
    assert told["etag"] == (cloud.store.objects[KEY].stat.etag or "").strip('"')


def test_a_recipe_in_the_metadata_and_of_the_function_takes_effect() -> None:
    cloud = Cloud(FFT_RECIPE="window=hann")
    metadata = {"bits": "16", "file-owner": "somebody else's"}
    cloud.machine.finish(cloud.upload(IMAGE, KEY, **metadata))
    values = cloud.manifest["recipe"]["values"]
    assert (values["bits"], values["window"], values["phase"]) == ("16", "hann", "no")
    assert cloud.store.outputs() == undisturbed(IMAGE, bits="16", window="hann")


def test_a_key_that_metadata_may_not_set_is_refused() -> None:
    cloud = Cloud(FFT_METADATA_KEYS="bits")
    cloud.run(window="hann")
    assert cloud.manifest["error"]["code"] == "bad-recipe"
    assert "FFT_METADATA_KEYS" in cloud.manifest["error"]["message"]


def test_a_sidecar_holds_what_is_too_long_for_metadata(cloud: Cloud) -> None:
    long = ",".join([f"crop:0,0,32,{24 - place}" for place in range(20)])
    cloud.store.upload(f"{KEY}.operations.json", json.dumps({"operations": long}).encode())
    cloud.store.upload(KEY, IMAGE)
    assert cloud.machine.finish(cloud.event()).state == "Done"
    assert len(cloud.manifest["operations"]["list"]) == 20


def test_a_sidecar_that_comes_after_its_image_leads_to_its_results(cloud: Cloud) -> None:
    cloud.store.upload(KEY, IMAGE)
    cloud.machine.finish(cloud.event())
    assert cloud.manifest["outcome"] == "rejected"
    cloud.store.upload(f"{KEY}.operations.json", b'{"operations": "grayscale,blur:1.5"}')
    cloud.machine.finish(cloud.event(f"{KEY}.operations.json"))
    assert cloud.state() == undisturbed(IMAGE)


@pytest.mark.parametrize("count", [1, 20])
def test_payloads_stay_far_below_what_a_state_may_pass_on(count: int, cloud: Cloud) -> None:
    cloud.run(operations=",".join(["posterize:4"] * count))
    assert cloud.manifest["outcome"] == "done"
    assert cloud.machine.largest < 32 * 1024 < 256 * 1024


def test_the_payload_of_a_refusal_is_bounded(cloud: Cloud) -> None:
    cloud.run(operations=",".join(["x" * 1000] * 20))
    assert cloud.manifest["error"]["code"] == "bad-operations"
    assert cloud.machine.largest < 64 * 1024


# Refused.


@pytest.mark.parametrize(
    ("operations", "told"),
    [
        ("bluur:3", "did you mean blur?"),
        ("rotate:abc", "ANGLE should be a number"),
        (",".join(["invert"] * 100), "100 operations"),
        ("", "operation"),
    ],
)
def test_bad_operations_are_refused_before_anything_is_read(
    operations: str, told: str, cloud: Cloud
) -> None:
    ended = cloud.run(operations=operations)
    assert (ended.status, ended.state) == ("SUCCEEDED", "Done")
    assert cloud.manifest["outcome"] == "rejected"
    assert cloud.manifest["error"]["code"] == "bad-operations"
    assert told in cloud.manifest["error"]["message"]
    assert f"read {KEY}" not in cloud.store.calls
    assert [each["outcome"] for each in cloud.told] == ["rejected"]


def test_a_mask_is_refused(cloud: Cloud) -> None:
    cloud.run(filter="mask:repair.png")
    assert cloud.manifest["outcome"] == "rejected"
    assert cloud.manifest["error"]["code"] == "bad-recipe"
    assert "masks are not accepted here" in cloud.manifest["error"]["message"]


def test_a_corrupt_image_leaves_a_rejected_manifest(cloud: Cloud) -> None:
    cloud.run(IMAGE[:-30])
    assert cloud.manifest["outcome"] == "rejected"
    assert cloud.manifest["error"]["code"] == "corrupt-image"
    assert cloud.manifest["operations"]["text"] == OPERATIONS


def test_operations_that_leave_nothing_are_refused(cloud: Cloud) -> None:
    cloud.run(operations="crop:0,0,320,240")
    assert cloud.manifest["outcome"] == "rejected"
    assert "crop:0,0,320,240" in cloud.manifest["error"]["message"]


def test_a_refusal_replaces_the_results_of_yesterday(cloud: Cloud) -> None:
    cloud.run()
    cloud.run(IMAGE[:-30])
    assert cloud.manifest["outcome"] == "rejected"
    assert cloud.manifest["files"] == []


def test_keys_that_would_be_too_long_end_without_a_manifest(cloud: Cloud) -> None:
    key = f"workflow/{'x' * 1000}.png"
    ended = cloud.machine.finish(cloud.upload(key=key))
    assert ended.state == "Done"
    assert cloud.store.outputs() == {}
    assert cloud.told[0]["error"]["code"] == "key-too-long"
    assert cloud.told[0]["manifest"] is None


def test_an_image_that_breaks_off_twice_is_too_costly(cloud: Cloud) -> None:
    dying = Dying(Killed("killed"))
    cloud.steps = cloud.functions(dying)
    cloud.run(LATER)
    assert cloud.manifest["error"]["code"] == "too-costly"
    assert dying.tried == 2


def test_an_image_for_which_too_little_time_was_left_is_retried(cloud: Cloud) -> None:
    dying = Dying(TookTooLong("too long"))
    cloud.steps = cloud.functions(dying)
    event = {**call_of(cloud), "state": "Process"}
    with pytest.raises(Exception, match="too little time left") as caught:
        cloud.steps.process(event, Context(2600))
    assert type(caught.value).__name__ == "Transient"


class Dying(Child):
    """A child process that ends with an error."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error, self.tried = error, 0

    def run_operations(self, *_: Any, **__: Any) -> Analysed:
        """Fail."""
        self.tried += 1
        raise self.error


def call_of(cloud: Cloud) -> Json:
    """The event of the state after Plan."""
    steps = cloud.machine.run(cloud.upload())
    seen: list[Json] = []
    original = cloud.call

    def noting(target: str, payload: Json) -> Any:
        seen.append(payload)
        return original(target, payload)

    cloud.machine.call = noting
    next(steps)
    next(steps)
    task = cloud.steps.plan(seen[-1], Context())
    return {"state": "Process", "attempt": 0, "execution": "e", "task": task}


# Failures.


def test_a_step_that_is_killed_is_taken_again(cloud: Cloud) -> None:
    killed = iter(["process", "analyse", "finish"])
    next_one = [next(killed)]

    def kill(function: str) -> None:
        if next_one and function == next_one[0]:
            next_one[:] = [each for each in [next(killed, None)] if each]
            raise RuntimeError("the function was killed")

    cloud.before = kill
    assert cloud.run().state == "Done"
    assert not next_one
    assert cloud.store.outputs() == undisturbed(IMAGE)


@pytest.mark.parametrize("written", ["combined.png", "original_magnitude.png", "manifest.json"])
def test_a_step_that_is_killed_while_it_writes_is_taken_again(written: str, cloud: Cloud) -> None:
    cloud.store.meddle = once(f"write {FOLDER_OF_RESULTS}{written}", RuntimeError("killed"))
    assert cloud.run().state == "Done"
    assert cloud.store.outputs() == undisturbed(IMAGE)


def test_a_store_that_is_away_is_asked_again(cloud: Cloud) -> None:
    cloud.store.meddle = once(f"read {KEY}", StoreUnavailable("slow down"))
    assert cloud.run().state == "Done"
    assert cloud.state() == undisturbed(IMAGE)


def test_a_store_that_stays_away_fails_the_execution_without_a_verdict(cloud: Cloud) -> None:
    def away(call: str) -> None:
        if call == f"read {KEY}":
            raise StoreUnavailable("slow down")

    cloud.store.meddle = away
    ended = cloud.run()
    assert ended.status == "FAILED"
    assert ended.error is not None
    assert ended.error.name == "Transient"
    assert MANIFEST not in cloud.store.objects


def test_missing_rights_fail_the_execution_under_their_own_name(cloud: Cloud) -> None:
    def refuse(call: str) -> None:
        if call.startswith("write"):
            raise NotAllowed("may not write")

    cloud.store.meddle = refuse
    ended = cloud.run()
    assert ended.error is not None
    assert ended.error.name == "NotAllowed"


def once(call: str, error: Exception) -> Callable[[str], None]:
    """Raise an error at a call, the first time."""
    waiting = [error]

    def meddle(asked: str) -> None:
        if asked == call and waiting:
            raise waiting.pop()

    return meddle


# Versions.


def test_a_duplicate_leaves_the_same_state(cloud: Cloud) -> None:
    event = cloud.upload()
    cloud.machine.finish(event)
    first = cloud.store.outputs()
    assert cloud.machine.finish(event).state == "Done"
    assert cloud.store.outputs() == first


def test_an_event_of_an_earlier_version_ends_quietly_and_writes_nothing(cloud: Cloud) -> None:
    earlier = cloud.upload()
    cloud.upload(LATER)
    assert cloud.machine.finish(earlier).state == "Nothing to do"
    assert cloud.store.outputs() == {}
    assert cloud.told == []


def test_a_deleted_source_ends_quietly(cloud: Cloud) -> None:
    event = cloud.upload()
    del cloud.store.objects[KEY]
    assert cloud.machine.finish(event).state == "Nothing to do"


@pytest.mark.parametrize("key", ["workflow/folder/", "other/a.png"])
def test_what_is_not_an_image_of_the_workflow_is_ignored(key: str, cloud: Cloud) -> None:
    assert cloud.machine.finish(cloud.upload(key=key)).state == "Nothing to do"
    assert cloud.store.outputs() == {}


@pytest.mark.parametrize("step", ["process", "analyse", "finish"])
def test_a_source_overwritten_before_a_step_leads_to_the_results_of_the_later(
    step: str, cloud: Cloud
) -> None:
    waiting = [step]

    def overwrite(function: str) -> None:
        if function in waiting:
            waiting.remove(function)
            cloud.upload(LATER)

    cloud.before = overwrite
    assert cloud.run().state == "Done"
    assert cloud.state() == undisturbed(LATER)
    assert "Start over" in cloud.machine.entered


def test_a_source_overwritten_while_the_manifest_is_written_leads_to_the_later(
    cloud: Cloud,
) -> None:
    waiting = [MANIFEST]

    def overwrite(call: str) -> None:
        if call == f"write {MANIFEST}" and waiting:
            waiting.clear()
            cloud.upload(LATER)

    cloud.store.meddle = overwrite
    assert cloud.run().state == "Done"
    assert cloud.state() == undisturbed(LATER)


def test_other_operations_for_the_same_image_are_another_version(cloud: Cloud) -> None:
    waiting = ["finish"]

    def change(function: str) -> None:
        if function in waiting:
            waiting.remove(function)
            cloud.upload(IMAGE, operations="invert")

    cloud.before = change
    cloud.run()
    assert cloud.manifest["operations"]["text"] == "invert"
    assert cloud.state() == undisturbed(IMAGE, operations="invert")


def test_a_refusal_that_is_overwritten_gives_way_to_the_later_version(cloud: Cloud) -> None:
    waiting = ["reject"]

    def repair(function: str) -> None:
        if function in waiting:
            waiting.remove(function)
            cloud.upload(IMAGE)

    cloud.before = repair
    assert cloud.run(IMAGE[:-30]).state == "Done"
    assert cloud.state() == undisturbed(IMAGE)


def test_the_number_of_rounds_is_bounded_and_the_end_is_a_failure(cloud: Cloud) -> None:
    count = iter(range(1000))

    def overwrite(function: str) -> None:
        if function == "finish":
            cloud.upload(png_bytes(noise((8, 8), seed=next(count))), histogram="no")

    cloud.before = overwrite
    ended = cloud.run(histogram="no")
    assert ended.status == "FAILED"
    assert ended.error is not None
    assert ended.error.name == "Overwritten"
    assert cloud.machine.entered.count("Plan") == 8


# Chaos: several executions at once, in any order, with duplicates, overwrites and kills.


@pytest.mark.parametrize("seed", range(10))
def test_chaos_ends_as_one_undisturbed_run_of_the_last_version(seed: int) -> None:
    dice = random.Random(seed)
    cloud = Cloud()
    versions = [
        (dice.choice([IMAGE, LATER, IMAGE[:-30]]), dice.choice([OPERATIONS, "invert", "bluur:3"]))
        for _ in range(dice.randint(1, 4))
    ]

    def kill(_: str) -> None:
        if dice.random() < 0.05:
            raise RuntimeError("the function was killed")

    cloud.before = kill
    uploads: Iterator[tuple[bytes, str]] = iter(versions)
    running: list[Generator[str, None, Ended]] = []
    events: list[Json] = []
    left = True
    while left or events or running:
        do = dice.random()
        if left and do < 0.15:
            upload = next(uploads, None)
            left = upload is not None
            if upload:
                event = cloud.upload(upload[0], operations=upload[1], histogram="no")
                events += [event] * dice.choice([1, 1, 2])
                dice.shuffle(events)
        elif events and do < 0.3:
            running.append(cloud.machine.run(events.pop()))
        elif running:
            chosen = dice.choice(running)
            try:
                next(chosen)
            except StopIteration as exc:
                running.remove(chosen)
                if exc.value.status == "FAILED":  # redriven, as an alarm asks for
                    events.append(cloud.event())
    data, operations = versions[-1]
    assert cloud.state() == undisturbed(data, operations=operations, histogram="no")


# Log and events.


def test_a_line_tells_object_version_state_and_execution(
    cloud: Cloud, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    cloud.run()
    told = lines(capfdbinary.readouterr().out)
    states = [line["state"] for line in told]
    assert states == ["Plan", "Process", "Analyse original", "Analyse combined", "Finish"]
    for line in told:
        assert (line["bucket"], line["key"], line["outcome"]) == (BUCKET, KEY, "done")
        assert line["etag"] == (cloud.store.objects[KEY].stat.etag or "").strip('"')
        assert line["execution"] == "execution"
        assert line["level"] == "INFO"
    assert (told[1]["width"], told[1]["height"]) == (32, 24)
    assert {"read", "decode", "write", "look"} <= told[1]["milliseconds"].keys()
    assert told[1]["bytes_written"] > 0


def test_a_refused_step_is_a_warning_with_code_and_reason(
    cloud: Cloud, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    cloud.run(operations="bluur:3")
    told = lines(capfdbinary.readouterr().out)
    assert [(line["state"], line["outcome"], line["level"]) for line in told] == [
        ("Plan", "rejected", "WARN"),
        ("Reject", "rejected", "WARN"),
    ]
    assert told[0]["error"]["code"] == "bad-operations"


@pytest.mark.parametrize(
    ("event", "told"),
    [
        ([], "the event should be an object"),
        ({"task": 1}, "task should be an object"),
        ({"task": {"object": {}}}, "task.bucket should be a text"),
        ({"task": {"object": {}, "bucket": "B"}}, "should be the name of a bucket"),
        (
            {"task": {"object": {"key": "k"}, "bucket": BUCKET}, "state": "S", "execution": ""},
            "execution should be a text",
        ),
        (
            {"task": {"object": {"key": "k"}, "bucket": BUCKET, "round": -1}, "state": "S"},
            "should be",
        ),
        (
            {"task": {"object": {"key": "k"}, "bucket": BUCKET}, "which": "both"},
            "which is 'both', should be original or combined",
        ),
    ],
)
def test_a_malformed_call_says_what_is_wrong(event: Any, told: str) -> None:
    with pytest.raises(MalformedEvent, match=told):
        Call.of(event)


def test_another_bucket_is_refused() -> None:
    cloud = Cloud(FFT_BUCKET="mine")
    ended = cloud.run()
    assert ended.error is not None
    assert ended.error.name == "MalformedEvent"
    assert cloud.store.outputs() == {}


def test_the_default_recipe_of_the_workflow_is_said_in_the_manifest(cloud: Cloud) -> None:
    cloud.run()
    assert (
        cloud.manifest["recipe"]["values"]
        == Recipe.parse({"metadata": "yes", "histogram": "yes", "phase": "no"}).texts()
    )
