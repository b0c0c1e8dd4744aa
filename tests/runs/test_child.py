"""Analysis in a child process: the same results as in the core, and containment of failures."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import pytest

import fft_tool
import fft_tool.comparing
from fft_tool.cropping import AtMost, find_salient
from fft_tool.errors import (
    Aborted,
    CropOutside,
    DifferentSizes,
    FftToolError,
    Killed,
    OperationsError,
    RecipeError,
    TookTooLong,
)
from fft_tool.image.presets import parse_presets
from fft_tool.limits import Limits
from fft_tool.mask_files import resolve_masks
from fft_tool.operations.registry import parse_operations
from fft_tool.operations.run import run_operations
from fft_tool.recipe import Recipe
from fft_tool.results.outputs import Source
from fft_tool.runs import child_process
from fft_tool.runs.child import Child, ChildBug, Patience
from fft_tool.runs.one import Analysed
from fft_tool.spectrum.masks import MaskFile
from tests.support.faulty import FAULTY, Faulty
from tests.support.images import noise, pink_noise, png_bytes
from tests.support.poison import BREAKING_OFF, PROGRAM, poisoned

MIB = 1 << 20
IMAGE = Source("plants/a.png", png_bytes(pink_noise((24, 32))))
RECIPE = Recipe(metadata=True)


@pytest.fixture(scope="module")
def sound() -> Iterator[Child]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_SECRET_ACCESS_KEY", "not for everybody")
        child = Child()
        child.prepare(RECIPE)
    yield child
    child.close()


@pytest.fixture(scope="module")
def faulty() -> Iterator[Child]:
    """A child whose decoder can be crashed by certain images, with a limit of 300 MiB."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(child_process, "PROGRAM", PROGRAM)
        child = Child()
        child.prepare(RECIPE, memory=300 * MIB)
        yield child
        child.close()


def analyse(
    child: Child, source: Source = IMAGE, recipe: Recipe = RECIPE, *, seconds: float = 30
) -> Analysed:
    return child.run(source, recipe, Limits(), patience=lambda _: seconds)


def poison(deed: str) -> Source:
    return Source("poison.png", poisoned(deed))


def process_of(child: Child) -> int:
    return child._process.pid  # noqa: SLF001  (nobody else needs to know)


# Results of the core


def test_masks_travel_beside_the_image(sound: Child) -> None:
    files = {f"{name}.png": png_bytes(noise((24, 32), seed=seed)) for seed, name in enumerate("ab")}
    text = "mask:a.png+notch:5,20+mask:b.png+mask:a.png"
    recipe = resolve_masks(Recipe(filter=text, metadata=True), lambda mask: files[mask.file])
    for each in (recipe, RECIPE):
        made = [artifact.data for artifact in analyse(sound, IMAGE, each).artifacts]
        assert made == [artifact.data for artifact in fft_tool.run(IMAGE, each)]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (png_bytes(noise((24, 31))), "the mask has 31 x 24 pixels, .* has 32 x 24"),
        (b"no image", "a mask is a grey PNG file"),
        (None, "its file has not been read yet"),
    ],
    ids=["small", "text", "unread"],
)
def test_a_mask_is_refused_by_the_child_as_by_the_core(
    sound: Child, data: bytes | None, told: str
) -> None:
    recipe = Recipe(filter="mask:a.png", metadata=True)
    if data is not None:
        recipe = resolve_masks(recipe, lambda _: data)
    before = process_of(sound)
    with pytest.raises(RecipeError, match=told) as caught:
        analyse(sound, IMAGE, recipe)
    with pytest.raises(RecipeError) as expected:
        fft_tool.run(IMAGE, recipe)
    assert caught.value.faults == expected.value.faults
    assert process_of(sound) == before


def test_masks_are_not_decoded_by_the_parent(sound: Child, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = resolve_masks(
        Recipe(filter="mask:a.png", metadata=True), lambda _: png_bytes(noise((24, 32)))
    )
    expected = fft_tool.run(IMAGE, recipe)["filtered"].data
    for name in ("check", "decoded"):
        monkeypatch.delattr(MaskFile, name)
    assert analyse(sound, IMAGE, recipe).artifacts[0].data == expected


@pytest.mark.parametrize(
    "text",
    ["metadata=yes", "metadata=no", "bits=16 metadata=yes crop=square spectrum=yes histogram=yes"],
)
def test_artifacts_equal_those_of_the_core_byte_for_byte_and_in_order(
    sound: Child, text: str
) -> None:
    recipe = Recipe.parse_text(text)
    analysed = analyse(sound, recipe=recipe)
    assert analysed.artifacts == fft_tool.run(IMAGE, recipe).artifacts
    assert (analysed.sha256, analysed.width, analysed.height) == (IMAGE.sha256, 32, 24)


def test_a_name_that_is_not_unicode_is_kept(sound: Child) -> None:
    source = Source("\udcff/ä b.png", IMAGE.data)
    assert analyse(sound, source).artifacts == fft_tool.run(source, RECIPE).artifacts


@pytest.mark.parametrize("image", FAULTY, ids=lambda image: image.name)
def test_errors_of_the_core_are_raised_with_the_same_message(sound: Child, image: Faulty) -> None:
    source = Source("a.png", image.data)
    with pytest.raises(FftToolError) as expected:
        fft_tool.run(source, RECIPE)
    before = process_of(sound)
    with pytest.raises(type(expected.value)) as found:
        analyse(sound, source)
    assert str(found.value) == str(expected.value)
    assert process_of(sound) == before, "the process goes on"


def test_recipe_errors_that_depend_on_the_image_keep_their_details(sound: Child) -> None:
    with pytest.raises(RecipeError) as caught:
        analyse(sound, recipe=Recipe.parse_text("threshold=300 metadata=yes"))
    (fault,) = caught.value.faults
    assert (fault.key, fault.value) == ("threshold", "300")
    with pytest.raises(CropOutside, match="32 x 24"):
        analyse(sound, recipe=Recipe.parse_text("crop=30,0,9,9 metadata=yes"))


def test_steps_and_the_number_of_pixels_are_reported_as_they_occur(sound: Child) -> None:
    steps: list[str] = []
    asked: list[int] = []

    def patience(pixels: int) -> float:
        asked.append(pixels)
        return 30

    sound.run(IMAGE, RECIPE, Limits(), patience=patience, on_step=steps.append)
    assert steps == ["decode", "transform", "measure", "paint", "encode", "certify"]
    assert asked[-2:] == [0, 24 * 32]


def test_limits_apply_in_the_child(sound: Child) -> None:
    with pytest.raises(FftToolError, match="767 are accepted"):
        sound.run(IMAGE, RECIPE, Limits(max_pixels=767), patience=lambda _: 30)


# Isolation


@pytest.mark.skipif(sys.platform != "linux", reason="processes are looked into by /proc")
def test_the_child_has_no_credentials_and_no_files_but_its_pipes(sound: Child) -> None:
    analyse(sound)
    there = Path(f"/proc/{process_of(sound)}")
    environ = dict(
        entry.split("=", 1) for entry in (there / "environ").read_text().split("\0")[:-1]
    )
    assert not [name for name in environ if name.startswith("AWS_")]
    assert environ.keys() <= {
        *("LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "PATH", "TZ"),
        *("PYTHONDONTWRITEBYTECODE", "PYTHONHASHSEED", "PYTHONPYCACHEPREFIX"),
        *("MALLOC_ARENA_MAX", "OPENBLAS_NUM_THREADS", "PYTHONPATH", "PYTHONSAFEPATH"),
    }
    files = sorted(str(file.readlink()) for file in (there / "fd").iterdir())
    assert [file.partition(":")[0] for file in files] == ["/dev/null"] * 2 + ["pipe"] * 2


def test_the_child_ends_with_its_parent() -> None:
    code = """
from fft_tool.runs.child import Child
from fft_tool.operations.registry import parse_operations
from fft_tool.operations.run import run_operations
from fft_tool.recipe import Recipe
child = Child()
child.prepare(Recipe(metadata=True))
print(child._process.pid)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    pid = int(done.stdout)
    for _ in range(500):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.01)
    pytest.fail("it is still there")


# Aborted runs


@pytest.mark.parametrize("deed", BREAKING_OFF)
def test_an_image_that_crashes_its_process_does_not_affect_the_next(
    faulty: Child, deed: str
) -> None:
    before = process_of(faulty)
    with pytest.raises(Killed) as caught:
        analyse(faulty, poison(deed))
    assert str(caught.value)
    assert process_of(faulty) != before
    assert analyse(faulty).artifacts == fft_tool.run(IMAGE, RECIPE).artifacts


def test_a_crash_is_distinguished_from_a_kill(faulty: Child) -> None:
    with pytest.raises(Killed, match="SIGSEGV: a decoder crashed"):
        analyse(faulty, poison("crash"))
    with pytest.raises(Killed, match="SIGKILL: was there enough memory"):
        analyse(faulty, poison("kill"))
    with pytest.raises(Killed, match="more memory than"):
        analyse(faulty, poison("eat"))


def test_a_process_that_does_not_finish_is_killed_at_its_deadline(faulty: Child) -> None:
    with pytest.raises(TookTooLong, match=r"longer than the 0\.3 s"):
        analyse(faulty, poison("hang"), seconds=0.3)
    assert analyse(faulty).width == 32


def test_the_deadline_is_updated_once_the_number_of_pixels_is_known(sound: Child) -> None:
    with pytest.raises(TookTooLong):
        sound.run(IMAGE, RECIPE, Limits(), patience=lambda pixels: 0 if pixels else 30)
    assert analyse(sound).width == 32


def test_a_bug_is_reported_with_its_location_and_the_process_continues(faulty: Child) -> None:
    analyse(faulty)
    before = process_of(faulty)
    with pytest.raises(ChildBug, match="division by zero") as caught:
        analyse(faulty, poison("err"))
    assert caught.value.type_name == "ZeroDivisionError"
    assert any("poison.py" in line for line in caught.value.stack)
    assert process_of(faulty) == before


def test_output_of_decoders_is_discarded(
    faulty: Child, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert analyse(faulty, poison("chatter")).width == 10
    assert capfdbinary.readouterr() == (b"", b"")


def test_a_process_that_ended_between_images_is_replaced(sound: Child) -> None:
    os.kill(process_of(sound), signal.SIGKILL)
    time.sleep(0.05)
    assert analyse(sound).width == 32


def test_a_run_can_be_aborted_from_another_thread(faulty: Child) -> None:
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(analyse, faulty, poison("hang"))
        while not running.done():
            faulty.abort()
        with pytest.raises(Killed):
            running.result()
    assert analyse(faulty).width == 32


def test_a_signal_to_the_whole_group_is_left_to_the_parent(sound: Child) -> None:
    """Supervisors send SIGTERM to all processes of a service, terminals Ctrl-C."""
    before = process_of(sound)
    for number in (signal.SIGTERM, signal.SIGINT):
        os.kill(before, number)
        assert analyse(sound).width == 32
    assert process_of(sound) == before


def test_a_process_can_give_way_to_others() -> None:
    child = Child()
    assert not child.is_prepared
    child.prepare(RECIPE, niceness=7)
    assert child.is_prepared
    assert psutil.Process(process_of(child)).nice() == min(19, psutil.Process().nice() + 7)
    child.close()


def test_an_interrupted_caller_leaves_no_partial_answer_behind(sound: Child) -> None:
    def on_step(name: str) -> None:
        if name == "paint":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sound.run(IMAGE, RECIPE, Limits(), patience=lambda _: 30, on_step=on_step)
    assert analyse(sound).artifacts == fft_tool.run(IMAGE, RECIPE).artifacts


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not hold to RLIMIT_AS")
def test_an_image_that_exceeds_its_estimate_hits_the_memory_limit_of_the_process() -> None:
    child = Child()
    child.prepare(RECIPE, memory=100 * MIB)
    large = Source("a.png", png_bytes(noise((3000, 3000), np.uint16)))
    try:
        with pytest.raises(Killed, match="memory"):
            analyse(child, large)
        assert analyse(child).width == 32
    finally:
        child.close()


def test_artifacts_beyond_the_limit_are_not_read(faulty: Child) -> None:
    """The child checks the limit as well, unless it has been compromised."""
    with pytest.raises((Aborted, FftToolError)):
        faulty.run(IMAGE, RECIPE, Limits(max_output_bytes=100), patience=lambda _: 30)


# Other tasks than the analysis

COLOURS = Source("plants/b.jpg", png_bytes(noise((24, 32, 3))))


def longer(_: int) -> float:
    return 30


def test_operations_give_the_images_of_the_core(sound: Child) -> None:
    text = "grayscale,blur:3,rotate:90"
    made = sound.run_operations(COLOURS, text, Limits(), patience=longer)
    assert made.artifacts == run_operations(COLOURS, parse_operations(text)).artifacts
    assert (made.sha256, made.width, made.height) == (COLOURS.sha256, 32, 24)


def test_operations_that_do_not_suit_the_image_keep_their_faults(sound: Child) -> None:
    before = process_of(sound)
    with pytest.raises(OperationsError) as expected:
        run_operations(IMAGE, parse_operations("blur,resize:0.1%"))
    with pytest.raises(OperationsError) as found:
        sound.run_operations(IMAGE, "blur,resize:0.1%", Limits(), patience=longer)
    assert found.value.faults == expected.value.faults
    with pytest.raises(CropOutside, match="operation 1"):
        sound.run_operations(IMAGE, "crop:30,0,9,9", Limits(), patience=longer)
    with pytest.raises(OperationsError, match="unknown operation"):
        sound.run_operations(IMAGE, "blurr", Limits(), patience=longer)
    assert process_of(sound) == before


def test_outputs_may_have_names_that_are_not_those_of_the_source(sound: Child) -> None:
    source = Source("plants/a.png", IMAGE.data, base="plants/a/original")
    analysed = analyse(sound, source)
    assert analysed.artifacts == fft_tool.run(source, RECIPE).artifacts
    assert analysed.artifacts[-1].name == "plants/a/original_metadata.json"


@pytest.mark.parametrize("text", ["", "threshold=otsu", "channel=red threshold=9 crop=0,0,9,9"])
def test_pixels_are_counted_as_in_the_core(sound: Child, text: str) -> None:
    recipe = Recipe.parse_text(text)
    counts = sound.count(COLOURS, recipe, Limits(), patience=longer)
    assert counts == fft_tool.pipeline.run_counts(COLOURS, recipe)


def test_images_are_compared_as_in_the_core(sound: Child) -> None:
    other = Source("b.png", png_bytes(noise((24, 32, 3), seed=1)))
    found = sound.compare(COLOURS, other, Recipe(), Limits(), patience=longer)
    assert found == fft_tool.pipeline.run_comparison(COLOURS, other, Recipe())
    assert found.psnr_db is not None
    smaller = Source("c.png", png_bytes(noise((9, 9))))
    assert sound.compare(COLOURS, smaller, Recipe(), Limits(), patience=longer).note


def test_renditions_are_compared_as_in_the_core(sound: Child) -> None:
    presets = parse_presets("thumb=9x9 zoom=400")
    for other in (COLOURS, Source("b.png", png_bytes(noise((9, 40), np.uint16)))):
        found = sound.compare_renditions(COLOURS, other, presets, Limits(), patience=longer)
        assert found == fft_tool.comparing.compare_renditions(COLOURS, other, presets)


@pytest.mark.parametrize("fit", [False, True])
def test_whole_comparisons_and_differences_are_those_of_the_core(sound: Child, fit: bool) -> None:
    other = Source("b.png", png_bytes(noise((24, 32) if not fit else (12, 20), np.uint16)))
    sources = COLOURS, other
    found = sound.compare_sources(*sources, Recipe(), Limits(), fit=fit, patience=longer)
    assert found == fft_tool.comparing.compare_sources(*sources, fit=fit)
    picture = sound.picture_difference(*sources, Recipe(), Limits(), fit=fit, patience=longer)
    assert picture == fft_tool.comparing.picture_difference(*sources, fit=fit)


def test_images_of_different_sizes_are_refused_as_in_the_core(sound: Child) -> None:
    smaller = Source("c.png", png_bytes(noise((9, 9))))
    for compare in (sound.compare_sources, sound.picture_difference):
        with pytest.raises(DifferentSizes, match="32 x 24 pixels, the second one 9 x 9"):
            compare(COLOURS, smaller, Recipe(), Limits(), patience=longer)


def test_the_salient_region_is_that_of_the_core(sound: Child) -> None:
    found = sound.find_salient(COLOURS, AtMost(12, 9), Limits(), patience=longer)
    assert found == find_salient(COLOURS, AtMost(12, 9))


@pytest.mark.parametrize("task", ["run_operations", "count", "compare"])
def test_deadlines_depend_on_the_number_of_pixels_in_every_task(sound: Child, task: str) -> None:
    asked: list[int] = []
    large = Source("c.png", png_bytes(noise((1500, 1600))))  # takes a while even to decode

    def impatient(pixels: int) -> float:
        asked.append(pixels)
        return 30 if pixels != 1500 * 1600 else 0

    with pytest.raises(TookTooLong):
        _do(sound, task, large, impatient)
    assert asked[-1] == 1500 * 1600
    assert analyse(sound).width == 32


def _do(child: Child, task: str, source: Source, patience: Patience) -> object:
    """Do one of the tasks; ``hang`` and the like happen in each of them."""
    match task:
        case "run_operations":
            return child.run_operations(source, "blur", Limits(), patience=patience)
        case "count":
            return child.count(source, Recipe(), Limits(), patience=patience)
        case _:
            return child.compare(source, IMAGE, Recipe(), Limits(), patience=patience)


@pytest.mark.parametrize("task", ["run_operations", "count", "compare"])
@pytest.mark.parametrize("deed", ["crash", "leave", "forge", "misstate"])
def test_whatever_the_task_a_compromised_process_is_replaced(
    faulty: Child, task: str, deed: str
) -> None:
    before = process_of(faulty)
    with pytest.raises(Killed):
        _do(faulty, task, poison(deed), longer)
    assert process_of(faulty) != before
    assert analyse(faulty).artifacts == fft_tool.run(IMAGE, RECIPE).artifacts
