"""One object: outputs of its latest version, or a record that says why there are none."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

import fft_tool
from fft_tool import Recipe, Source
from fft_tool.errors import NotAllowed, StoreError, StoreFull, StoreUnavailable
from fft_tool.results import record as records
from fft_tool.results.recording import rejected
from fft_tool.stores.base import Stat, Stored
from handler.deadline import Deadline
from handler.errors import KeyTooLong, OutOfTime, Overwritten
from handler.events import Task
from handler.patience import Patience
from handler.result import Result
from handler.settings import Settings
from handler.work import LONGEST_KEY, MOST_RESTARTS, Worker
from tests.support.faulty import FAULTY, Faulty
from tests.support.images import noise, pink_noise, png_bytes, png_of_zeros
from tests.support.samples import BUCKET, Context, NotedStore, child

IMAGE = png_bytes(pink_noise((24, 32)))
LATER = png_bytes(pink_noise((20, 18), seed=1))
BROKEN = IMAGE[:-30]
KEY = "input/a.png"
OUTPUTS = ("output/a_magnitude.png", "output/a_phase.png", "output/a_metadata.json")
RECORD = "output/a_metadata.json"
SCHEMA = Draft202012Validator(records.schema())

Json = dict[str, Any]
NOTHING: Mapping[str, Any] = {}


def worker(
    store: NotedStore, variables: Mapping[str, str] = NOTHING, *, threads: int = 1
) -> Worker:
    return Worker(Settings.from_environ(variables), lambda *_: store, child(threads))


def do(
    store: NotedStore,
    key: str = KEY,
    *,
    overrides: Mapping[str, Any] = NOTHING,
    context: Context | None = None,
    announced: bool = False,
    etags: frozenset[str] = frozenset(),
    **variables: str,
) -> Result:
    deadline = Deadline((context or Context()).get_remaining_time_in_millis, 2000)
    task = Task(BUCKET, key, overrides, announced)
    return worker(store, variables).do(task, deadline, patient(deadline), etags)


def patient(deadline: Deadline, *, last: bool = False) -> Patience:
    return Patience(deadline.seconds_to_work, deadline.seconds_to_work(), last=last)


def restarts(store: NotedStore) -> int:
    """How often the source was read again."""
    return store.calls.count(f"read {KEY}") - 1


def expected(data: bytes, name: str = "a.png", recipe: str = "") -> dict[str, bytes]:
    """The outputs of the core for a source, by their expected keys."""
    source = Source(name, data)
    outputs = fft_tool.run(source, Recipe.parse_text(f"{recipe} metadata=yes"))
    return {f"output/{artifact.name}": artifact.data for artifact in outputs}


def record_in(store: NotedStore, name: str = RECORD) -> Json:
    """A record as it was written, validated against the schema."""
    record = records.from_bytes(store.outputs()[name])
    faults = [fault.message for fault in SCHEMA.iter_errors(record)]
    assert not faults
    return record


def at(call: str, deed: Callable[[], object]) -> Callable[[str], None]:
    """Do something once, when a store receives ``call``."""
    waiting = [deed]

    def meddle(asked: str) -> None:
        if asked == call and waiting:
            waiting.pop()()

    return meddle


def raising(error: Exception) -> Callable[[], object]:
    def deed() -> None:
        raise error

    return deed


# Done


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("input/a.png", "a.png"),
        ("input/plants/Wiesengrün/Großes Ä + 100%.png", "plants/Wiesengrün/Großes Ä + 100%.png"),
        ("input/photo.jpg", "photo.jpg"),
        ("input/input/x.png", "input/x.png"),
        ("input/output/x.png", "output/x.png"),
        ("input/🌿", "🌿"),
    ],
)
def test_outputs_are_those_of_the_core_byte_for_byte_in_the_same_folders(
    key: str, name: str
) -> None:
    store = NotedStore({key: IMAGE})
    result = do(store, key)
    assert store.outputs() == expected(IMAGE, name)
    assert set(result.outputs) == set(store.outputs())


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_threads_make_no_difference(threads: int) -> None:
    store = NotedStore({KEY: IMAGE})
    deadline = Deadline(lambda: 60_000, 2000)
    assert (
        worker(store, threads=threads).do(Task(BUCKET, KEY), deadline, patient(deadline)).outcome
        == "done"
    )
    assert store.outputs() == expected(IMAGE)


def test_the_result_describes_source_and_outputs() -> None:
    store = NotedStore({KEY: IMAGE})
    result = do(store)
    assert result.outcome == "done"
    assert result.error is None
    assert result.part == Task(BUCKET, KEY)
    assert (result.width, result.height, result.size) == (32, 24, len(IMAGE))
    assert result.sha256 == Source("", IMAGE).sha256
    assert result.etag == store.stat(KEY).etag
    assert restarts(store) == 0


def test_the_source_is_checked_before_writing_and_after_the_record_which_comes_last() -> None:
    store = NotedStore({KEY: IMAGE})
    do(store, overrides={"spectrum": "yes", "histogram": "yes", "crop": "square"})
    first, second, look, *writes, last, check = store.calls
    assert (first, second, look) == (f"read {KEY}", f"fetch {KEY}", f"stat {KEY}")
    assert {call.partition(" ")[0] for call in writes} == {"write"}
    assert len(writes) == 5
    assert (last, check) == (f"write {RECORD}", f"stat {KEY}")


def test_outputs_have_their_content_types() -> None:
    store = NotedStore({KEY: IMAGE})
    do(store, overrides={"spectrum": "yes"})
    assert store.content_types == {
        "output/a_spectrum.npz": "application/x-npz",
        "output/a_magnitude.png": "image/png",
        "output/a_phase.png": "image/png",
        "output/a_metadata.json": "application/json",
    }


def test_the_same_task_twice_gives_the_same_bytes() -> None:
    store = NotedStore({KEY: IMAGE})
    do(store)
    first = store.outputs()
    do(store)
    assert store.outputs() == first


def test_prefixes_are_those_of_the_settings() -> None:
    store = NotedStore({"scans/raw/x/a.png": IMAGE})
    do(store, "scans/raw/x/a.png", FFT_INPUT_PREFIX="scans/raw", FFT_OUTPUT_PREFIX="scans/done/")
    found = store.outputs("scans/done")
    assert found == {
        name.replace("output/", "scans/done/"): data
        for name, data in expected(IMAGE, "x/a.png").items()
    }


# The recipe


def test_the_event_overrides_metadata_which_overrides_the_defaults() -> None:
    store = NotedStore()
    store.upload(KEY, IMAGE, window="tukey", crop="square", mtime="1795166047.5")
    do(store, overrides={"crop": "0,0,9,9"}, FFT_RECIPE="bits=16 window=hann crop=centre:5,5")
    assert store.outputs() == expected(IMAGE, recipe="bits=16 window=tukey crop=0,0,9,9")


@pytest.mark.parametrize(
    ("metadata", "told"),
    [
        ({"crpo": "square"}, "crpo='square': unknown key"),
        ({"bits": "12", "window": "round"}, "bits='12'"),
        ({"metadata": "no"}, "metadata='no': should be yes"),
        ({"crop": "square", "smart-crop": "5,5"}, "cannot be combined with crop"),
        ({"filter": "lowpass:4+mask:repair.png"}, "masks are not accepted here"),
        ({"filter": "mask:repair.png," + "ab" * 32}, "filter with this mask on the command line"),
    ],
)
def test_a_faulty_recipe_is_rejected_with_every_fault(metadata: dict[str, str], told: str) -> None:
    store = NotedStore()
    store.upload(KEY, IMAGE, **metadata)
    result = do(store)
    assert result.outcome == "rejected"
    assert result.code == "bad-recipe"
    record = record_in(store)
    assert told in record["error"]["message"]
    assert record["recipe"] is None
    assert list(store.outputs()) == [RECORD]


def test_metadata_of_other_tools_appears_nowhere() -> None:
    store = NotedStore()
    store.upload(KEY, IMAGE, **{"s3cmd-attrs": "uname:somebody"})
    do(store)
    assert store.outputs() == expected(IMAGE)


# Rejected


@pytest.mark.parametrize("faulty", FAULTY, ids=lambda faulty: faulty.name)
def test_a_faulty_image_has_a_record_and_nothing_else(faulty: Faulty) -> None:
    key = f"input/bad/{faulty.name}"
    store = NotedStore({key: faulty.data})
    result = do(store, key)
    (name,) = store.outputs()
    assert result.outputs == (name,)
    assert name.startswith("output/bad/")
    record = record_in(store, name)
    assert (result.outcome, record["outcome"]) == ("rejected", "rejected")
    assert record["error"] == {"code": result.code, "message": result.message}
    assert record["artifacts"] == []
    source = Source(f"bad/{faulty.name}", faulty.data)
    assert record["source"] == {"name": source.name, "bytes": source.size, "sha256": source.sha256}
    assert record["recipe"]["text"] == "metadata=yes"
    assert store.content_types == {name: "application/json"}
    assert result.sha256 == source.sha256


def test_the_record_of_a_rejection_is_that_of_the_core() -> None:
    store = NotedStore({KEY: BROKEN})
    result = do(store)
    assert isinstance(result.error, fft_tool.FftToolError)
    document = rejected(Source("a.png", BROKEN), Recipe(metadata=True), result.error)
    assert store.outputs() == {RECORD: records.to_bytes(document)}


def test_a_crop_outside_the_image_is_rejected() -> None:
    store = NotedStore({KEY: IMAGE})
    assert do(store, overrides={"crop": "30,0,5,5"}).code == "crop-outside"
    assert "24" in record_in(store)["error"]["message"]


def test_more_pixels_than_the_setting_allows_are_rejected() -> None:
    store = NotedStore({KEY: IMAGE})
    assert do(store, FFT_MAX_PIXELS=str(24 * 32)).outcome == "done"
    result = do(store, FFT_MAX_PIXELS=str(24 * 32 - 1))
    assert (result.outcome, result.code) == ("rejected", "too-many-pixels")


def test_an_image_that_does_not_fit_the_memory_is_rejected_with_its_size() -> None:
    store = NotedStore({KEY: png_bytes(noise((600, 700)))})
    result = do(store, AWS_LAMBDA_FUNCTION_MEMORY_SIZE="114")
    assert (result.outcome, result.code) == ("rejected", "too-much-memory")
    assert "82 MiB are allowed" in result.message
    record = record_in(store)
    assert record["source"]["sha256"] == result.sha256
    assert isinstance(result.sha256, str)
    assert do(store, AWS_LAMBDA_FUNCTION_MEMORY_SIZE="128").outcome == "done"


def test_a_small_file_with_large_outputs_is_rejected() -> None:
    """5 kB that would give 348 MB of outputs, more than an image of 100 million pixels."""
    store = NotedStore()
    store.upload(KEY, png_of_zeros(5900, 5900), spectrum="yes", precision="double")
    result = do(store, FFT_MAX_PIXELS="100000000")
    assert (result.outcome, result.code) == ("rejected", "too-much-output")
    assert list(store.outputs()) == [RECORD]
    assert record_in(store)["error"] == {"code": "too-much-output", "message": result.message}


def test_the_limit_on_outputs_is_the_setting() -> None:
    store = NotedStore({KEY: IMAGE})
    assert do(store).outcome == "done"
    result = do(store, FFT_MAX_OUTPUT_BYTES="10000")
    assert (result.outcome, result.code) == ("rejected", "too-much-output")
    assert "10,000 are allowed" in result.message


def test_forbidden_metadata_is_rejected_and_the_record_says_why() -> None:
    store = NotedStore()
    store.upload(KEY, IMAGE, spectrum="yes", channel="luma")
    result = do(store, FFT_METADATA_KEYS="channel")
    assert (result.outcome, result.code) == ("rejected", "bad-recipe")
    assert list(store.outputs()) == [RECORD]
    assert record_in(store)["error"]["message"] == (
        "spectrum='yes': may not be set by an object's metadata here (FFT_METADATA_KEYS)"
    )


def test_an_event_may_set_keys_that_metadata_may_not() -> None:
    store = NotedStore({KEY: IMAGE})
    assert do(store, overrides={"spectrum": "yes"}, FFT_METADATA_KEYS="").outcome == "done"
    assert store.outputs() == expected(IMAGE, recipe="spectrum=yes")


@pytest.mark.parametrize("restarts", [0, 2])
def test_bytes_written_include_those_of_restarts(restarts: int) -> None:
    store = NotedStore({KEY: IMAGE})
    written: list[int] = []
    deadline = Deadline(lambda: 60_000, 2000)

    def meddle(asked: str) -> None:
        if asked == f"stat {KEY}" and store.calls[-2] == f"write {RECORD}":
            written.append(sum(map(len, store.outputs().values())))
            if len(written) <= restarts:
                store.upload(KEY, IMAGE + bytes(len(written)))

    store.meddle = meddle
    assert worker(store).do(Task(BUCKET, KEY), deadline, patient(deadline)).outcome == "done"
    assert len(written) == restarts + 1
    assert deadline.bytes_written == sum(written)


def test_an_object_that_is_too_large_for_the_memory_is_not_even_fetched() -> None:
    store = NotedStore({KEY: bytes(2 << 20)})
    result = do(store, AWS_LAMBDA_FUNCTION_MEMORY_SIZE="113")
    assert (result.outcome, result.code) == ("rejected", "too-much-memory")
    assert store.calls == [f"read {KEY}", f"stat {KEY}", f"write {RECORD}", f"stat {KEY}"]
    assert result.size == 2 << 20
    assert result.sha256 is None
    record = record_in(store)
    assert record["source"] == {"name": "a.png", "bytes": 2 << 20, "sha256": None}
    assert record["recipe"]["text"] == "metadata=yes"
    assert "81 MiB are allowed" in record["error"]["message"]


def test_an_object_above_the_size_limit_is_not_fetched_either() -> None:
    store = NotedStore()
    store.objects[KEY] = Stored(b"", Stat((2 << 30) + 1, {}, "e"))
    result = do(store)
    assert (result.outcome, result.code) == ("rejected", "too-many-bytes")
    assert f"fetch {KEY}" not in store.calls
    assert record_in(store)["source"]["bytes"] == (2 << 30) + 1


def test_a_large_object_with_a_faulty_recipe_is_not_fetched_either() -> None:
    store = NotedStore()
    store.upload(KEY, bytes(2 << 20), crpo="square")
    result = do(store, AWS_LAMBDA_FUNCTION_MEMORY_SIZE="113")
    assert result.outcome == "rejected"
    assert f"fetch {KEY}" not in store.calls
    assert record_in(store)["source"]["sha256"] is None


def test_a_key_whose_outputs_just_fit_the_limit_is_done() -> None:
    longest = "input/" + "x" * (LONGEST_KEY - len("output/_magnitude.png")) + ".png"
    store = NotedStore({longest: IMAGE})
    result = do(store, longest)
    assert result.outcome == "done"
    assert max(len(name.encode()) for name in result.outputs) == LONGEST_KEY


@pytest.mark.parametrize(
    "name",
    [
        "x" * (LONGEST_KEY - len("output/_magnitude.png") + 1) + ".png",
        "ü" * 502 + ".png",
        "x" * 1003,
    ],
)
def test_a_key_whose_outputs_exceed_the_limit_is_rejected_without_access(name: str) -> None:
    store = NotedStore({f"input/{name}": IMAGE})
    result = do(store, f"input/{name}")
    assert result.outcome == "rejected"
    assert isinstance(result.error, KeyTooLong)
    assert "1,024" in result.message
    assert store.calls == []


# Ignored and missing


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("output/a_magnitude.png", "result"),
        ("output/", "result"),
        ("other/a.png", "not below input/"),
        ("a.png", "not below input/"),
        ("inputs/a.png", "not below input/"),
        ("Input/a.png", "not below input/"),
        ("/input/a.png", "not below input/"),
        ("input", "not below input/"),
        ("input/", "folder"),
        ("input/plants/", "folder"),
    ],
)
def test_a_key_that_is_not_a_source_is_ignored_with_a_reason(key: str, told: str) -> None:
    store = NotedStore({key: IMAGE})
    result = do(store, key)
    assert result.outcome == "ignored"
    assert told in result.reason
    assert store.calls == []


def test_an_object_that_does_not_exist_is_missing() -> None:
    store = NotedStore()
    result = do(store)
    assert result.outcome == "missing"
    assert "a.png" in result.message
    assert store.calls == [f"read {KEY}"]


# Sources that change

WRITES = [f"write {name}" for name in OUTPUTS]
MOMENTS = [*WRITES, f"stat {KEY}"]


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_source_that_changes_meanwhile_is_processed_again(moment: str) -> None:
    store = NotedStore({KEY: IMAGE})
    store.meddle = at(moment, lambda: store.upload(KEY, LATER))
    result = do(store)
    assert store.outputs() == expected(LATER)
    assert (result.outcome, restarts(store)) == ("done", 1)
    assert (result.width, result.size) == (18, len(LATER))


@pytest.mark.parametrize("moment", MOMENTS)
def test_the_same_image_with_another_recipe_is_processed_again(moment: str) -> None:
    store = NotedStore({KEY: IMAGE})
    etag = store.stat(KEY).etag

    def relabel() -> None:
        """Upload it as S3 does, whose ETag depends only on the bytes."""
        stat = Stat(len(IMAGE), {"bits": "16"}, etag)
        store.objects[KEY] = Stored(IMAGE, stat)

    store.meddle = at(moment, relabel)
    do(store)
    assert restarts(store) == 1
    assert store.outputs() == expected(IMAGE, recipe="bits=16")


def test_a_source_that_changes_before_it_is_read_is_processed_once() -> None:
    store = NotedStore({KEY: IMAGE})
    store.meddle = at(f"read {KEY}", lambda: store.upload(KEY, LATER))
    do(store)
    assert restarts(store) == 0
    assert store.outputs() == expected(LATER)


@pytest.mark.parametrize("moment", [f"write {RECORD}", f"stat {KEY}"])
def test_a_rejected_source_that_is_replaced_meanwhile_is_done(moment: str) -> None:
    store = NotedStore({KEY: BROKEN})
    store.meddle = at(moment, lambda: store.upload(KEY, LATER))
    assert do(store).outcome == "done"
    assert store.outputs() == expected(LATER)


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_source_that_is_replaced_by_a_bad_one_is_rejected(moment: str) -> None:
    store = NotedStore({KEY: IMAGE})
    store.meddle = at(moment, lambda: store.upload(KEY, BROKEN))
    result = do(store)
    assert (result.outcome, restarts(store)) == ("rejected", 1)
    record = record_in(store)
    assert record["outcome"] == "rejected"
    assert record["source"]["sha256"] == Source("", BROKEN).sha256


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_source_that_is_deleted_meanwhile_is_done(moment: str) -> None:
    store = NotedStore({KEY: IMAGE})
    store.meddle = at(moment, lambda: store.objects.pop(KEY))
    result = do(store)
    assert (result.outcome, restarts(store)) == ("done", 0)
    assert store.outputs() == expected(IMAGE)


def never_resting(moment: str) -> tuple[NotedStore, Callable[[], int]]:
    """A store whose object is overwritten at each such call; and a count of the uploads."""
    store, versions = NotedStore({KEY: IMAGE}), itertools.count()

    def change(call: str) -> None:
        if call == moment:
            store.upload(KEY, IMAGE, threshold=str(next(versions)))

    store.meddle = change
    return store, lambda: next(versions)


@pytest.mark.parametrize("announced", [True, False])
def test_a_source_that_keeps_changing_while_results_are_written_is_returned_after_two_restarts(
    announced: bool,
) -> None:
    store, versions = never_resting(f"write {RECORD}")
    with pytest.raises(Overwritten, match="overwritten 3 times during processing"):
        do(store, announced=announced)
    assert versions() == MOST_RESTARTS + 1 == 3


def test_results_known_to_be_out_of_date_are_not_written() -> None:
    store, _ = never_resting(f"fetch {KEY}")
    store.meddle = at(f"stat {KEY}", lambda: store.upload(KEY, LATER))
    result = do(store, announced=True)
    assert (result.outcome, result.error) == ("superseded", None)
    assert "a later version has been uploaded" in result.reason
    assert store.outputs() == {}
    assert restarts(store) == 0


def test_a_direct_call_returns_the_results_of_the_later_version() -> None:
    """It may have no event."""
    store = NotedStore({KEY: IMAGE})
    store.meddle = at(f"stat {KEY}", lambda: store.upload(KEY, LATER))
    assert do(store).outcome == "done"
    assert store.outputs() == expected(LATER)
    writes = [call for call in store.calls if call.startswith("write")]
    assert sorted(writes) == sorted(WRITES), "written once"


def test_an_outdated_rejection_is_not_written() -> None:
    store = NotedStore({KEY: BROKEN})
    store.meddle = at(f"stat {KEY}", lambda: store.upload(KEY, LATER))
    assert do(store, announced=True).outcome == "superseded"
    assert store.outputs() == {}


def test_a_version_left_to_its_own_event_is_not_fetched() -> None:
    store = NotedStore({KEY: IMAGE})
    former = frozenset({str(store.objects[KEY].stat.etag)})
    store.upload(KEY, LATER)
    assert do(store, announced=True, etags=former).outcome == "superseded"
    assert store.calls == [f"read {KEY}"]
    latest = former | {str(store.objects[KEY].stat.etag)}
    assert do(store, announced=True, etags=latest).outcome == "done"
    assert store.outputs() == expected(LATER)


def test_outputs_that_may_have_replaced_later_ones_are_made_again() -> None:
    """After a restart, only an upload that is later than all writes ends the work as superseded."""
    store = NotedStore({KEY: IMAGE})
    third = IMAGE + b"3"
    uploads = {f"write {OUTPUTS[0]}": LATER, f"stat {KEY}": third}
    looks = itertools.count()

    def meddle(call: str) -> None:
        if call == f"stat {KEY}" and next(looks) < 2:  # before and after the first version
            return
        if data := uploads.pop(call, None):
            store.upload(KEY, data)

    store.meddle = meddle
    assert do(store, announced=True).outcome == "superseded"
    assert not uploads
    do(store, announced=True)  # for the event of the third version
    assert store.outputs() == expected(third)


STEPS = [f"read {KEY}", f"stat {KEY}", *WRITES, f"stat {KEY} again"]
PAIRS = list(itertools.combinations_with_replacement(STEPS, 2))


@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize(("uploaded", "told"), PAIRS)
def test_two_invocations_on_one_key_end_with_its_latest_version(
    uploaded: str, told: str, announced: bool
) -> None:
    """The later version arrives while one invocation is working; another one then processes it.

    So the one that has read the former version may well be the last to write.
    """
    store = NotedStore({KEY: IMAGE})
    upload = at(uploaded, lambda: store.upload(KEY, LATER))
    another = at(told, lambda: do(store, announced=True))
    looks = itertools.count()

    def meddle(call: str) -> None:
        if call == f"stat {KEY}" and next(looks):
            call = f"{call} again"
        upload(call)
        another(call)

    store.meddle = meddle
    assert do(store, announced=announced).outcome in ("done", "superseded")
    another(told)  # unless it was: the event of the later version still comes
    assert store.outputs() == expected(LATER)


# Stores that fail


@pytest.mark.parametrize("call", [f"read {KEY}", *WRITES, f"stat {KEY}"])
@pytest.mark.parametrize(
    "error",
    [StoreUnavailable("slow"), NotAllowed("denied"), StoreFull("full"), ZeroDivisionError("bug")],
    ids=lambda error: type(error).__name__,
)
def test_an_error_of_the_store_is_not_a_rejection(call: str, error: Exception) -> None:
    store = NotedStore({KEY: IMAGE})
    store.meddle = at(call, raising(error))
    with pytest.raises(type(error)) as caught:
        do(store)
    assert caught.value is error
    if call != f"stat {KEY}" or store.outputs():
        assert RECORD not in store.outputs(), "nobody may take these outputs for whole"
    store.calls.clear()
    assert do(store).outcome == "done"
    assert store.outputs() == expected(IMAGE)


@pytest.mark.parametrize("call", [f"write {RECORD}", f"stat {KEY}"])
def test_a_rejection_that_cannot_be_written_or_checked_is_retried(call: str) -> None:
    store = NotedStore({KEY: BROKEN})
    store.meddle = at(call, raising(StoreUnavailable("slow")))
    with pytest.raises(StoreError):
        do(store)


# Time


@pytest.mark.parametrize(
    ("remaining", "written"), [(1999, False), (2000, True), (0, False), (-5, False)]
)
def test_no_step_starts_with_less_than_the_reserve(remaining: int, written: bool) -> None:
    store = NotedStore({KEY: IMAGE})
    if written:
        assert do(store, context=Context(remaining)).outcome == "done"
        return
    with pytest.raises(OutOfTime) as caught:
        do(store, context=Context(remaining))
    assert f"{max(remaining, 0):,} ms are left before 'read'" in str(caught.value)
    assert "2,000 are reserved" in str(caught.value)
    assert store.calls == []


def test_nothing_is_written_if_time_runs_out_before_writing() -> None:
    store, context = NotedStore({KEY: IMAGE}), Context()
    store.meddle = at(f"read {KEY}", lambda: setattr(context, "remaining", 100))
    with pytest.raises(OutOfTime):
        do(store, context=context)
    assert store.outputs() == {}


def test_an_ignored_key_needs_no_time() -> None:
    store = NotedStore()
    assert do(store, "output/a.png", context=Context(0)).outcome == "ignored"
    assert do(store, "input/" + "x" * 1018, context=Context(0)).outcome == "rejected"


def test_every_step_is_timed_in_order() -> None:
    deadline = Deadline(lambda: 60_000, 2000)
    worker(NotedStore({KEY: IMAGE})).do(Task(BUCKET, KEY), deadline, patient(deadline))
    deadline.stop()
    core = ["decode", "transform", "measure", "paint", "encode", "certify"]
    assert list(deadline.milliseconds) == ["read", *core, "look", "write", "check"]
    assert all(milliseconds >= 0 for milliseconds in deadline.milliseconds.values())
    assert deadline.total_ms >= 0


def test_steps_that_recur_are_added_up(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter([10.0, 10.0, 10.0, 11.0, 11.0, 13.0, 13.0, 17.0, 18.0])
    monkeypatch.setattr("handler.deadline.time.perf_counter", lambda: next(seconds))
    deadline = Deadline(lambda: 60_000, 2000)
    for step in ("read", "write", "read"):
        deadline.step(step)
    deadline.stop()
    deadline.stop()
    assert deadline.milliseconds == {"read": 5000.0, "write": 2000.0}
    assert deadline.total_ms == 8000.0
