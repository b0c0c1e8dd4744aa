"""The function as Lambda calls it: events, work, answers and log lines."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import fft_tool
from fft_tool import Recipe, Source
from fft_tool.errors import NotAllowed, StoreUnavailable
from fft_tool.runs.child import Child
from fft_tool.stores.base import Store
from fft_tool.stores.memory import MemoryStore
from handler.errors import MalformedEvent, OutOfTime
from handler.function import Function
from handler.settings import Settings
from tests.support.deliveries import (
    direct,
    eventbridge,
    handed_back,
    queued,
    sample,
    sns,
    sns_in_queue,
)
from tests.support.faulty import FAULTY
from tests.support.images import noise, png_bytes
from tests.support.poison import PROGRAM, poisoned
from tests.support.samples import (
    BUCKET,
    FUNCTION,
    NAMES,
    REQUEST,
    Context,
    NotedStore,
    call,
    child,
    function,
    job,
    lines,
    put,
)

IMAGE = png_bytes(noise((6, 8)))
KEY = "input/a.png"
SUFFIXES = ("magnitude.png", "phase.png", "metadata.json")

Json = dict[str, Any]
Logged = Callable[[], list[Json]]


@pytest.fixture
def logged(capsysbinary: pytest.CaptureFixture[bytes]) -> Logged:
    """Returns the lines written since the last call."""
    return lambda: lines(capsysbinary.readouterr().out)


def store_of(*names: str) -> NotedStore:
    return NotedStore({f"input/{name}.png": IMAGE for name in names})


def images(store: NotedStore) -> set[str]:
    """Names of the images whose outputs are complete."""
    names = {name.removeprefix("output/").rpartition("_")[0] for name in store.outputs()}
    for name in names:
        assert {f"output/{name}_{suffix}" for suffix in SUFFIXES} <= set(store.outputs())
    return names


def failing(name: str, error: Exception) -> NotedStore:
    """A store of the images a, b and c in which one cannot be read."""
    store = store_of("a", "b", "c")

    def meddle(asked: str) -> None:
        if asked == f"read input/{name}.png":
            raise error

    store.meddle = meddle
    return store


# Allowed buckets


@pytest.mark.parametrize(
    "event", [call(KEY), put(KEY), eventbridge(BUCKET, KEY), sns(put(KEY))], ids=str
)
def test_an_event_with_another_bucket_is_refused_and_logged(logged: Logged, event: Json) -> None:
    store = store_of("a")
    with pytest.raises(MalformedEvent, match=rf"{BUCKET} is not one of this function's"):
        function(store, FFT_BUCKET="another")(event, Context())
    (line,) = logged()
    assert (line["level"], line["outcome"]) == ("ERROR", "failed")
    assert (line["bucket"], line["key"]) == (BUCKET, KEY)
    assert line["error"]["code"] == "malformed-event"
    assert store.calls == [], "nothing of it is even looked at"


def test_a_message_with_another_bucket_is_returned_and_the_others_are_done() -> None:
    store = store_of("a", "b")
    bodies = (put(KEY), eventbridge("stranger", KEY), put("input/b.png"))
    answer = function(store, FFT_BUCKETS=f"another,{BUCKET}")(queued(*bodies), Context())
    assert handed_back(answer) == ["m2"]
    assert images(store) == {"a", "b"}


@pytest.mark.parametrize("version", [1, 2])
def test_a_batch_job_on_another_bucket_fails_for_good(version: int) -> None:
    store = store_of("a")
    answer = function(store, FFT_BUCKET="another")(job(KEY, version=version), Context())
    (result,) = answer["results"]
    assert result["resultCode"] == "PermanentFailure"
    assert "is not one of this function's" in result["resultString"]
    assert store.calls == []


# Answers


def test_a_direct_call_is_answered_with_its_object(logged: Logged) -> None:
    store = store_of("a")
    told = function(store)(call(KEY), Context())
    source = Source("a.png", IMAGE)
    outputs = fft_tool.run(source, Recipe(metadata=True))
    assert store.outputs() == {f"output/{one.name}": one.data for one in outputs}
    assert sorted(told.pop("outputs")) == sorted(store.outputs())
    assert told == {
        "bucket": BUCKET,
        "key": KEY,
        "outcome": "done",
        "error": None,
        "reason": None,
        "source": {"bytes": len(IMAGE), "sha256": source.sha256, "etag": store.stat(KEY).etag},
        "width": 8,
        "height": 6,
    }
    (line,) = logged()
    assert (line["outcome"], line["requestId"]) == ("done", REQUEST)
    assert line["FunctionName"] == FUNCTION
    assert list(line["milliseconds"])[-3:] == ["look", "write", "check"]


def test_the_recipe_of_a_direct_call_is_applied() -> None:
    store = store_of("a")
    function(store)(call(KEY, recipe="bits=16 crop=square"), Context())
    record = json.loads(store.outputs()["output/a_metadata.json"])
    assert record["recipe"]["text"] == "crop=square bits=16 metadata=yes"


@pytest.mark.parametrize(
    "event",
    [put(KEY), eventbridge(BUCKET, KEY), sns(put(KEY))],
    ids=["S3", "EventBridge", "SNS"],
)
def test_a_notification_is_answered_with_all_results(event: Any) -> None:
    store = store_of("a")
    (result,) = function(store)(event, Context())["results"]
    assert (result["key"], result["outcome"]) == (KEY, "done")
    assert images(store) == {"a"}


@pytest.mark.parametrize(
    "event",
    [queued(put(KEY)), queued(eventbridge(BUCKET, KEY)), sns_in_queue(put(KEY))],
    ids=["S3", "EventBridge", "SNS"],
)
def test_a_queue_is_answered_with_the_messages_to_retry(event: Any) -> None:
    store = store_of("a")
    assert function(store)(event, Context()) == {"batchItemFailures": []}
    assert images(store) == {"a"}


def test_a_batch_job_is_answered_task_by_task() -> None:
    store = store_of("a")
    store.upload("input/bad.png", b"")
    told = function(store)(job(KEY, "input/bad.png", "input/none.png", "other/x.png"), Context())
    assert [(task["taskId"], task["resultCode"]) for task in told["results"]] == [
        ("t1", "Succeeded"),
        ("t2", "PermanentFailure"),
        ("t3", "PermanentFailure"),
        ("t4", "Succeeded"),
    ]


@pytest.mark.parametrize("name", NAMES)
def test_every_sample_is_answered_in_json(name: str, logged: Logged) -> None:
    told = function(MemoryStore())(sample(name), Context())
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    for line in logged():
        assert line["outcome"] in ("missing", "ignored", "failed")


def test_every_object_has_a_line_of_its_own(logged: Logged) -> None:
    store = store_of("a", "b")
    store.upload("input/bad.png", b"text")
    event = queued(
        put(KEY, "input/bad.png"),
        put("input/b.png"),
        put("output/x.png", "input/none.png"),
        "{",
        sample("s3_test"),
    )
    assert handed_back(function(store)(event, Context())) == ["m4"]
    told = [(line["key"], line["outcome"]) for line in logged()]
    assert told == [
        (KEY, "done"),
        ("input/bad.png", "rejected"),
        ("input/b.png", "done"),
        ("output/x.png", "ignored"),
        ("input/none.png", "missing"),
        ("", "failed"),
        ("", "ignored"),
    ]


def test_each_object_is_processed_in_its_own_bucket() -> None:
    stores = {name: NotedStore({KEY: IMAGE}) for name in ("one", "two")}

    def open_bucket(name: str, _: float) -> Store:
        return stores[name]

    handle = Function(Settings.from_environ({}), child=child(), open_bucket=open_bucket)
    handle(direct("two", KEY), Context())
    assert images(stores["two"]) == {"a"}
    assert images(stores["one"]) == set()


# Failures are isolated


def test_only_failed_messages_are_returned(logged: Logged) -> None:
    store = failing("b", StoreUnavailable("S3 is slow"))
    event = queued(put(KEY), put("input/b.png"), put("input/c.png"))
    assert handed_back(function(store)(event, Context())) == ["m2"]
    assert images(store) == {"a", "c"}
    line = logged()[1]
    assert (line["level"], line["outcome"]) == ("WARN", "failed")
    assert line["error"] == {"code": "store-unavailable", "message": "S3 is slow"}
    assert line["Failed"] == 1


def test_a_message_of_several_objects_is_returned_whole_if_one_fails() -> None:
    store = failing("a", StoreUnavailable("S3 is slow"))
    event = queued(put(KEY, "input/b.png"), put("input/c.png"))
    assert handed_back(function(store)(event, Context())) == ["m1"]
    assert images(store) == {"b", "c"}


def test_a_malformed_message_is_returned_and_logged(logged: Logged) -> None:
    store = store_of("a")
    event = queued("Dear function", put(KEY), attempt=2)
    assert handed_back(function(store)(event, Context())) == ["m1"]
    assert images(store) == {"a"}
    line = logged()[0]
    assert (line["level"], line["outcome"], line["attempt"]) == ("ERROR", "failed", 2)
    assert line["error"] == {"code": "malformed-event", "message": "Records[0].body is not JSON"}
    assert "stackTrace" not in line


def test_a_malformed_task_fails_permanently_and_alone() -> None:
    store = store_of("a")
    event = job("input/x.png", KEY)
    event["tasks"][0]["s3Key"] = None
    first, second = function(store)(event, Context())["results"]
    assert first["resultCode"] == "PermanentFailure"
    assert "tasks[0].s3Key is missing" in first["resultString"]
    assert second["resultCode"] == "Succeeded"


@pytest.mark.parametrize("event", [{}, {"bucket": "x"}, {"Records": [{}]}, [], None])
def test_a_malformed_event_is_raised_before_any_work(event: Any) -> None:
    store = store_of("a")
    with pytest.raises(MalformedEvent):
        function(store)(event, Context())
    assert store.calls == []


def test_an_impossible_key_fails_only_its_message(logged: Logged) -> None:
    store = store_of("a")
    event = queued(eventbridge(BUCKET, "input/\ud800.png"), put(KEY))
    assert handed_back(function(store)(event, Context())) == ["m1"]
    assert images(store) == {"a"}
    assert logged()[0]["error"]["code"] == "malformed-event"


@pytest.mark.parametrize("error", [StoreUnavailable("slow"), NotAllowed("access denied")])
def test_a_failure_of_a_direct_call_or_a_notification_is_raised(error: Exception) -> None:
    for event in (call("input/b.png"), put("input/b.png"), sns(put(KEY, "input/b.png"))):
        with pytest.raises(type(error)) as caught:
            function(failing("b", error))(event, Context())
        assert caught.value is error


def test_a_failure_in_a_notification_does_not_stop_its_other_objects() -> None:
    store = failing("a", StoreUnavailable("slow"))
    with pytest.raises(StoreUnavailable):
        function(store)(put(KEY, "input/b.png", "input/c.png"), Context())
    assert images(store) == {"b", "c"}


@pytest.mark.parametrize("faulty", FAULTY[:3], ids=lambda faulty: faulty.name)
def test_a_rejection_is_an_answer_and_not_a_failure(faulty: Any, logged: Logged) -> None:
    store = NotedStore({KEY: faulty.data})
    assert function(store)(call(KEY), Context())["outcome"] == "rejected"
    assert function(store)(queued(put(KEY)), Context()) == {"batchItemFailures": []}
    assert list(store.outputs()) == ["output/a_metadata.json"]
    assert [(line["outcome"], line["Rejected"]) for line in logged()] == [("rejected", 1)] * 2


# Bugs


def test_a_bug_fails_only_its_message_and_logs_a_traceback(logged: Logged) -> None:
    store = failing("b", ZeroDivisionError("division by zero"))
    event = queued(put(KEY), put("input/b.png"), put("input/c.png"))
    assert handed_back(function(store)(event, Context())) == ["m2"]
    assert images(store) == {"a", "c"}
    _, line, _ = logged()
    assert (line["level"], line["outcome"], line["Failed"]) == ("ERROR", "failed", 1)
    assert line["error"] == {"code": "bug", "message": "division by zero"}
    assert line["errorType"] == "ZeroDivisionError"
    assert any("meddle" in place for place in line["stackTrace"])


def test_a_bug_is_raised_if_it_would_otherwise_be_lost(logged: Logged) -> None:
    for event in (call("input/b.png"), put("input/b.png")):
        with pytest.raises(ZeroDivisionError):
            function(failing("b", ZeroDivisionError()))(event, Context())
    assert [line["error"]["code"] for line in logged()] == ["bug", "bug"]


def test_after_a_memory_error_the_message_is_returned_and_the_function_continues() -> None:
    handle = function(failing("b", MemoryError()))
    assert handed_back(handle(queued(put("input/b.png")), Context())) == ["m1"]
    assert handed_back(handle(queued(put(KEY)), Context())) == []


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_exceptions_that_end_the_process_are_not_caught(kind: type[BaseException]) -> None:
    store = store_of("a")

    def meddle(_: str) -> None:
        raise kind

    store.meddle = meddle
    with pytest.raises(kind):
        function(store)(queued(put(KEY)), Context())


# Work that breaks off

BROKEN_OFF = ("crash", "eat", "kill", "babble", "forge")


@pytest.fixture(scope="module")
def faulty() -> Iterator[Child]:
    """A child whose decoder crashes on some images."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fft_tool.runs.child_process.PROGRAM", PROGRAM)
        made = Child()
        made.prepare(Recipe(metadata=True), memory=300 << 20)
        yield made
        made.close()


def poisonable(store: NotedStore, faulty: Child, **variables: str) -> Function:
    settings = Settings.from_environ(variables)
    return Function(settings, child=faulty, open_bucket=lambda *_: store)


@pytest.mark.parametrize("deed", BROKEN_OFF)
def test_a_crashing_image_is_rejected_at_its_second_try_and_the_others_are_done(
    deed: str, faulty: Child, logged: Logged
) -> None:
    store = store_of("a", "c")
    store.upload("input/b.png", poisoned(deed))
    event = queued(put(KEY), put("input/b.png"), put("input/c.png"))
    assert handed_back(poisonable(store, faulty)(event, Context())) == []
    record = json.loads(store.outputs()["output/b_metadata.json"])
    assert (record["outcome"], record["error"]["code"]) == ("rejected", "too-costly")
    assert "at the second try" in record["error"]["message"]
    assert record["source"]["sha256"] == Source("", poisoned(deed)).sha256
    first, broken, third, last = logged()
    assert (broken["level"], broken["error"]["code"]) == ("WARN", "killed")
    assert "will be tried once more" in broken["message"]
    assert [line["outcome"] for line in (first, third, last)] == ["done", "done", "rejected"]
    assert (last["key"], last["BrokenOff"], last["Rejected"]) == ("input/b.png", 2, 1)
    assert first["BrokenOff"] == 0
    del store.objects["input/b.png"], store.objects["output/b_metadata.json"]
    assert images(store) == {"a", "c"}


def test_an_image_that_never_finishes_is_rejected_within_the_invocation(
    faulty: Child, logged: Logged
) -> None:
    store = store_of("a")
    store.upload("input/b.png", poisoned("hang"))
    event = queued(put("input/b.png"), put(KEY))
    assert handed_back(poisonable(store, faulty, FFT_RESERVE_MS="200")(event, Context(1500))) == []
    assert [line.get("outcome") for line in logged()] == [None, "done", "rejected"]
    record = json.loads(store.outputs()["output/b_metadata.json"])
    assert record["error"]["code"] == "too-costly"
    assert "it took longer than the 1.4 s allowed" in record["error"]["message"]


def test_an_image_is_not_rejected_for_lack_of_remaining_time(faulty: Child, logged: Logged) -> None:
    store, context = NotedStore({KEY: poisoned("hang")}), Context(500)

    def meddle(asked: str) -> None:
        if asked == f"read {KEY}":
            context.remaining = 300

    store.meddle = meddle
    assert handed_back(
        poisonable(store, faulty, FFT_RESERVE_MS="200")(queued(put(KEY)), context)
    ) == ["m1"]
    assert store.outputs() == {}
    assert logged()[-1]["error"]["code"] == "out-of-time"


def test_a_bug_of_the_core_is_not_a_rejection(faulty: Child, logged: Logged) -> None:
    store = NotedStore({KEY: poisoned("err")})
    assert handed_back(poisonable(store, faulty)(queued(put(KEY)), Context())) == ["m1"]
    assert store.outputs() == {}
    (line,) = logged()
    assert (line["error"]["code"], line["errorType"]) == ("bug", "ZeroDivisionError")
    assert any("poison.py" in place for place in line["stackTrace"])


def test_a_source_that_is_replaced_before_its_second_try_is_done(faulty: Child) -> None:
    store = NotedStore({KEY: poisoned("crash"), "input/b.png": IMAGE})

    def meddle(asked: str) -> None:
        if asked == "read input/b.png":
            store.upload(KEY, IMAGE)

    store.meddle = meddle
    handle = poisonable(store, faulty)
    assert handed_back(handle(queued(put(KEY), put("input/b.png")), Context())) == []
    assert images(store) == {"a", "b"}


def test_a_message_returned_twice_is_processed_after_the_others() -> None:
    store = store_of("a", "b", "c")
    event = queued(put(KEY), put("input/b.png"), put("input/c.png"))
    event["Records"][0]["attributes"]["ApproximateReceiveCount"] = "3"
    event["Records"][1]["attributes"]["ApproximateReceiveCount"] = "2"
    assert handed_back(function(store)(event, Context())) == []
    assert [call for call in store.calls if call.startswith("read")] == [
        "read input/b.png",
        "read input/c.png",
        f"read {KEY}",
    ]


# Objects that are overwritten again and again


def reads(store: NotedStore) -> list[str]:
    return [asked for asked in store.calls if asked.startswith("read")]


def test_several_messages_about_one_object_are_one_job_which_comes_last(logged: Logged) -> None:
    store = store_of("a", "b")
    event = queued(put(KEY), eventbridge(BUCKET, KEY), put("input/b.png"), put(KEY))
    assert handed_back(function(store)(event, Context())) == []
    assert reads(store) == ["read input/b.png", f"read {KEY}"]
    told = [(line["key"], line["outcome"], line["messageId"]) for line in logged()]
    assert told == [
        ("input/b.png", "done", "m3"),
        (KEY, "done", "m1"),
        (KEY, "ignored", "m2"),
        (KEY, "ignored", "m4"),
    ]


def test_all_messages_about_an_object_that_fails_are_returned() -> None:
    store = failing("a", StoreUnavailable("S3 is slow"))
    event = queued(put(KEY), put("input/b.png"), put(KEY))
    assert handed_back(function(store)(event, Context())) == ["m1", "m3"]
    assert images(store) == {"b"}


def test_requests_with_recipes_of_their_own_are_separate_jobs() -> None:
    store = store_of("a")
    event = queued(call(KEY, recipe="bits=16"), call(KEY, recipe="bits=8"), put(KEY))
    assert handed_back(function(store)(event, Context())) == []
    assert reads(store) == [f"read {KEY}"] * 3


def overwritten_at(store: NotedStore, call: str) -> None:
    """Overwrite the first object at each such call."""
    versions = itertools.count()

    def meddle(asked: str) -> None:
        if asked == call:
            store.upload(KEY, IMAGE, threshold=str(next(versions)))

    store.meddle = meddle


def test_an_object_that_keeps_changing_is_neither_written_nor_returned(logged: Logged) -> None:
    store = store_of("a", "b", "c")
    handle = function(store)
    overwritten_at(store, f"stat {KEY}")
    assert handed_back(handle(queued(put(KEY), attempt=2), Context())) == []
    assert store.outputs() == {}
    (line,) = logged()
    assert (line["level"], line["outcome"], line["restarts"]) == ("INFO", "superseded", 0)
    assert line["bytes_written"] == 0

    # It is remembered: the others come first, and what has been overwritten is not fetched.
    store.calls.clear()
    etag = str(store.objects[KEY].stat.etag)
    overwritten_at(store, "read input/c.png")
    event = queued(put(KEY, etag=etag), put("input/b.png"), put("input/c.png"))
    assert handed_back(handle(event, Context())) == []
    assert images(store) == {"b", "c"}
    assert reads(store) == ["read input/b.png", "read input/c.png", f"read {KEY}"]
    assert f"fetch {KEY}" not in store.calls
    assert [line["outcome"] for line in logged()] == ["done", "done", "superseded"]

    # The event of the last version leads to its outputs.
    last = str(store.objects[KEY].stat.etag)
    assert handed_back(handle(queued(put(KEY, etag=last)), Context())) == []
    assert images(store) == {"a", "b", "c"}


def test_a_second_try_takes_any_version(faulty: Child) -> None:
    """The first one may have written before it broke off."""
    store = store_of("a")
    handle = poisonable(store, faulty)
    overwritten_at(store, f"stat {KEY}")
    handle(queued(put(KEY)), Context())  # it is remembered
    store.upload(KEY, poisoned("crash"))
    etag = str(store.objects[KEY].stat.etag)
    store.meddle = lambda _: None

    def replace_it(asked: str) -> None:
        if asked == "read input/b.png":
            store.upload(KEY, IMAGE)

    store.upload("input/b.png", poisoned("crash"))
    store.meddle = replace_it
    handle(queued(put(KEY, etag=etag), put("input/b.png")), Context())
    assert "output/a_metadata.json" not in store.outputs(), "replaced before its turn: superseded"

    store.upload(KEY, poisoned("crash"))
    etag = str(store.objects[KEY].stat.etag)
    fetched = itertools.count()

    def replace_after_fetching(asked: str) -> None:
        if asked == f"read {KEY}" and next(fetched) == 1:
            store.upload(KEY, IMAGE)

    store.meddle = replace_after_fetching
    assert handed_back(handle(queued(put(KEY, etag=etag)), Context())) == []
    assert json.loads(store.outputs()["output/a_metadata.json"])["outcome"] == "done"


@pytest.mark.parametrize("changed", ["attempt", "redriven", "no ETag", "no time", "quiet"])
def test_a_message_that_may_have_left_outdated_outputs_is_processed(changed: str) -> None:
    """Whichever version it is about: an attempt that broke off may have written last."""
    store = store_of("a")
    handle = function(store)
    if changed != "quiet":
        overwritten_at(store, f"stat {KEY}")
        handle(queued(put(KEY)), Context())
        store.meddle = lambda _: None
    event = queued(put(KEY, etag="" if changed == "no ETag" else "former"))
    attributes = event["Records"][0]["attributes"]
    match changed:
        case "attempt":
            attributes["ApproximateReceiveCount"] = "2"
        case "redriven":
            attributes["SentTimestamp"] = str(int(attributes["SentTimestamp"]) + 60_000)
        case "no time":
            del attributes["SentTimestamp"]
    assert handed_back(handle(event, Context())) == []
    assert images(store) == {"a"}


# Time


def test_messages_without_time_left_are_returned(logged: Logged) -> None:
    store, context = store_of("a", "b", "c"), Context()

    def meddle(asked: str) -> None:
        if asked == f"stat {KEY}" and store.calls[-2] == "write output/a_metadata.json":
            context.remaining = 1999

    store.meddle = meddle
    event = queued(put(KEY), put("input/b.png"), put("output/x.png"), put("input/c.png"))
    assert handed_back(function(store)(event, context)) == ["m2", "m4"]
    assert images(store) == {"a"}
    done, second, ignored, third = logged()
    assert (done["outcome"], ignored["outcome"]) == ("done", "ignored")
    for line in (second, third):
        assert (line["outcome"], line["level"]) == ("failed", "WARN")
        assert line["error"]["code"] == "out-of-time"
        assert "FFT_RESERVE_MS" in line["error"]["message"]


def test_the_reserved_time_is_a_setting() -> None:
    handle = function(store_of("a"), FFT_RESERVE_MS="100")
    assert handed_back(handle(queued(put(KEY)), Context(100))) == []
    assert handed_back(handle(queued(put(KEY)), Context(99))) == ["m1"]


def test_running_out_of_time_is_raised_or_a_temporary_failure() -> None:
    handle = function(store_of("a"))
    with pytest.raises(OutOfTime):
        handle(call(KEY), Context(0))
    (told,) = handle(job(KEY), Context(0))["results"]
    assert told["resultCode"] == "TemporaryFailure"


# From one event to the next


def test_only_the_first_object_is_logged_as_a_cold_start(logged: Logged) -> None:
    handle = function(store_of("a", "b"))
    handle(queued(put(KEY, "input/b.png"), put(KEY)), Context())
    handle(call(KEY), Context())
    assert [line["cold"] for line in logged()] == [True, False, False, False]


def test_nothing_is_kept_from_the_previous_event(logged: Logged) -> None:
    store = store_of("a")
    handle = function(store)
    first = handle(call(KEY, recipe="bits=16"), Context())
    store.upload(KEY, IMAGE)
    handle(call(KEY), Context())
    record = json.loads(store.outputs()["output/a_metadata.json"])
    assert record["recipe"]["text"] == "metadata=yes"
    assert first["outcome"] == "done"
    context = Context()
    context.aws_request_id = "another"
    handle(call(KEY), context)
    assert [line["requestId"] for line in logged()] == [REQUEST, REQUEST, "another"]


def test_restarts_and_attempts_are_logged(logged: Logged) -> None:
    store = store_of("a")
    later = iter([png_bytes(noise((5, 5), seed=1)), png_bytes(noise((7, 7), seed=2))])

    def meddle(asked: str) -> None:
        if asked == "write output/a_metadata.json" and (data := next(later, None)):
            store.upload(KEY, data)

    store.meddle = meddle
    function(store)(queued(put(KEY), attempt=4), Context())
    (line,) = logged()
    assert (line["restarts"], line["attempt"], line["Retried"]) == (2, 4, 1)
    assert (line["width"], line["Pixels"]) == (7, 49)


def test_a_failure_is_logged_with_what_is_known_of_the_object(logged: Logged) -> None:
    store, context = store_of("a"), Context()

    def meddle(asked: str) -> None:
        if asked == "write output/a_metadata.json":
            store.upload(KEY, png_bytes(noise((5, 5), seed=1)))
        if asked.startswith("write") and store.calls.count(asked) > 1:
            raise StoreUnavailable("slow")

    store.meddle = meddle
    function(store)(queued(put(KEY)), context)
    (line,) = logged()
    assert (line["outcome"], line["restarts"]) == ("failed", 1)
    assert "write" in line["milliseconds"]


def test_metadata_of_other_tools_is_not_logged(
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    store = NotedStore()
    store.upload(KEY, IMAGE, **{"s3cmd-attrs": "uname:somebody/secret"})
    function(store)(call(KEY), Context())
    assert b"secret" not in capsysbinary.readouterr().out
    assert b"secret" not in b"".join(store.outputs().values())
