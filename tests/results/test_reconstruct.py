"""Inversion: a record or a saved spectrum gives the image, or a clear error."""

from __future__ import annotations

import copy
import io
import json
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import fft_tool
from fft_tool.errors import (
    BadArtifact,
    ChangedArtifact,
    EmptyImage,
    FftToolError,
    NotFound,
    NotInvertible,
)
from fft_tool.image.selection import select
from fft_tool.recipe import Recipe
from fft_tool.results import record as records
from fft_tool.results.outputs import Source
from fft_tool.results.reconstruct import reconstruct
from fft_tool.results.recording import rejected
from fft_tool.results.spectrum_file import load_spectrum, save_spectrum, spectrum_text
from fft_tool.spectrum.inversion import Inversion
from fft_tool.stores.memory import MemoryStore
from tests.support.images import chunk, chunks_of, noise, opened, pink_noise, png_bytes
from tests.support.planes import plane_of

RECORD, SPECTRUM = "leaf_metadata.json", "leaf_spectrum.npz"
MAGNITUDE, PHASE = "leaf_magnitude.png", "leaf_phase.png"
INVERTIBLE = "bits=16 metadata=yes"


class Results(MemoryStore):
    """Results of analysing one image, in a separate folder."""

    def __init__(self, source: bytes, recipe: str = INVERTIBLE) -> None:
        super().__init__()
        self.source = Source("plants/leaf.png", source)
        self.recipe = Recipe.parse_text(recipe)
        for artifact in fft_tool.run(self.source, self.recipe):
            self.write(artifact.name.removeprefix("plants/"), artifact.data)

    def get(self, name: str) -> bytes:
        return self.read(name).data

    @property
    def record(self) -> dict[str, Any]:
        return records.from_bytes(self.get(RECORD))

    @property
    def white(self) -> str:
        """Largest grey level, as messages write it."""
        return f"{self.record['spectrum']['preparation']['white']:,}"

    @property
    def plane(self) -> Any:
        raster = fft_tool.decode(self.source.data)
        return select(
            raster,
            crop=self.recipe.crop,
            smart_crop=self.recipe.smart_crop,
            channel=self.recipe.channel,
        ).plane

    def back(self, name: str = RECORD, **options: Any) -> tuple[Any, tuple[str, ...]]:
        """Restored pixels, and warnings."""
        result = reconstruct(name, self.get, **options)
        return np.asarray(opened(result.data)), result.warnings


@pytest.fixture
def results() -> Results:
    return Results(png_bytes(noise((9, 12))), f"{INVERTIBLE} spectrum=yes")


@pytest.mark.parametrize("way", [None, "pictures", "spectrum"])
def test_every_way_gives_the_source_back(results: Results, way: str | None) -> None:
    pixels, warnings = results.back(way=way)
    assert np.array_equal(pixels, noise((9, 12)))
    assert warnings == ()


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (8, 1), (2, 2), (13, 16), (16, 13), (31, 37)])
def test_every_shape_comes_back(shape: tuple[int, int]) -> None:
    pixels, _ = Results(png_bytes(noise(shape))).back()
    assert np.array_equal(pixels, noise(shape))


@pytest.mark.parametrize("level", [0, 1, 255])
def test_constant_images_come_back(level: int) -> None:
    constant = np.full((6, 5), level, np.uint8)
    assert np.array_equal(Results(png_bytes(constant)).back()[0], constant)


@pytest.mark.parametrize(
    "recipe",
    [
        "detrend=mean",
        "detrend=linear",
        "window=hamming",
        "periodic=yes",
        "precision=double",
        "scale=linear",
        "crop=2,1,7,5",
        "smart-crop=6,6",
        "histogram=yes filter=lowpass:4",
    ],
)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("way", ["pictures", "spectrum"])
def test_what_comes_back_is_as_near_as_the_certificate_says(
    recipe: str, dtype: Any, way: str
) -> None:
    source = png_bytes(noise((16, 20), dtype))
    results = Results(source, f"{INVERTIBLE} {recipe} spectrum=yes")
    pixels, warnings = results.back(way=way)
    error = int(np.abs(pixels.astype(int) - results.plane).max())
    certificate = results.record["certificate"]["ways"][way]
    assert error == certificate["max_abs_error"]
    assert (error == 0) is certificate["exact"]
    assert [text for text in warnings if "not exact" in text] == (
        []
        if error == 0
        else [f"not exact: grey levels are off by up to {error} of {results.white}"]
    )


@pytest.mark.parametrize("channels", [2, 3, 4])
def test_of_a_colour_image_its_grey_plane_comes_back(channels: int) -> None:
    results = Results(png_bytes(noise((9, 12, channels))))
    assert np.array_equal(results.back()[0], results.plane)


def test_sixteen_bits_come_back_by_way_of_a_double_spectrum() -> None:
    deep = noise((9, 12), np.uint16)
    results = Results(png_bytes(deep), f"{INVERTIBLE} spectrum=yes precision=double")
    assert np.array_equal(results.back()[0], deep)


def test_eight_bit_pictures_give_back_what_they_can() -> None:
    results = Results(png_bytes(noise((32, 32))), "metadata=yes")
    error = results.back()[0].astype(float) - results.plane
    assert 0 < np.sqrt(np.mean(error**2)) < 8


def test_the_number_of_threads_changes_nothing(results: Results) -> None:
    for way in ("pictures", "spectrum"):
        one, three = (reconstruct(RECORD, results.get, way=way, threads=n).data for n in (1, 3))
        assert one == three


def test_the_pixel_size_is_kept() -> None:
    density = chunk(b"pHYs", struct.pack(">IIB", 200_000_000, 100_000_000, 1))
    results = Results(png_bytes(noise((6, 5)), density))
    made = dict(chunks_of(reconstruct(RECORD, results.get).data))
    assert chunk(b"pHYs", made[b"pHYs"]) == density


def test_a_saved_spectrum_is_enough_by_itself(results: Results) -> None:
    alone = {SPECTRUM: results.get(SPECTRUM)}
    result = reconstruct(SPECTRUM, alone.__getitem__)
    assert np.array_equal(np.asarray(opened(result.data)), noise((9, 12)))
    assert b"pHYs" not in dict(chunks_of(result.data))


def test_artifacts_are_looked_for_beside_the_record_only(results: Results) -> None:
    record = results.record
    for entry in record["artifacts"]:
        entry["name"] = f"../../elsewhere/{entry['name']}"
    results.write(RECORD, json.dumps(record).encode())
    assert np.array_equal(results.back()[0], noise((9, 12)))


@pytest.mark.parametrize("window", ["hann", "blackman"])
def test_pixels_that_a_window_has_zeroed_are_told(window: str) -> None:
    results = Results(png_bytes(noise((9, 12))), f"{INVERTIBLE} window={window} precision=double")
    _, warnings = results.back()
    lost = results.record["certificate"]["lost_pixels"]
    assert lost > 0
    assert warnings[0].startswith("not exact: ")
    assert warnings[1:] == (f"{lost:,} pixels were suppressed by the window and are lost",)


# Changed, missing and damaged


def test_a_changed_artifact_is_refused_unless_forced(results: Results) -> None:
    """The pixels are the same, only the file is another one: the image is exact."""
    again = png_bytes(np.asarray(opened(results.get(MAGNITUDE))))
    results.write(MAGNITUDE, again)
    with pytest.raises(ChangedArtifact, match=f"{MAGNITUDE} is not the file that the record lists"):
        results.back(way="pictures")
    pixels, warnings = results.back(way="pictures", force=True)
    assert np.array_equal(pixels, noise((9, 12)))
    assert warnings == (f"{MAGNITUDE} is not the file that the record lists",)


def test_pictures_of_another_image_are_refused_and_never_called_exact(results: Results) -> None:
    other = Results(png_bytes(noise((9, 12), seed=1)))
    for name in (MAGNITUDE, PHASE):
        results.write(name, other.get(name))
    with pytest.raises(ChangedArtifact, match="belongs to another image"):
        results.back(way="pictures")
    result = reconstruct(RECORD, results.get, way="pictures", force=True)
    assert result.exact is False
    assert result.max_abs_error is None
    assert result.warnings[2:] == ("not exact: the image differs from the one analysed",)


def test_a_changed_spectrum_is_refused_unless_forced(results: Results) -> None:
    with np.load(io.BytesIO(results.get(SPECTRUM))) as arrays:
        again = io.BytesIO()
        np.savez_compressed(again, **arrays)
    results.write(SPECTRUM, again.getvalue())
    with pytest.raises(ChangedArtifact, match=SPECTRUM):
        results.back()
    pixels, warnings = results.back(force=True)
    assert np.array_equal(pixels, noise((9, 12)))
    assert warnings == (f"{SPECTRUM} is not the file that the record lists",)


@pytest.mark.parametrize(
    ("name", "way"), [(MAGNITUDE, "pictures"), (PHASE, "pictures"), (SPECTRUM, None)]
)
def test_a_missing_artifact_is_named(results: Results, name: str, way: str | None) -> None:
    del results.objects[name]
    with pytest.raises(NotFound, match=name):
        results.back(way=way)


@pytest.mark.parametrize(
    ("name", "told"), [(MAGNITUDE, "magnitude picture"), (PHASE, "phase picture")]
)
@pytest.mark.parametrize("damage", [b"", b"text", None])
def test_a_damaged_picture_is_named(
    results: Results, name: str, told: str, damage: bytes | None
) -> None:
    results.write(name, results.get(name)[:80] if damage is None else damage)
    with pytest.raises(ChangedArtifact, match=name):
        results.back(way="pictures")
    with pytest.raises(BadArtifact, match=f"the {told} is damaged"):
        results.back(way="pictures", force=True)


def test_a_picture_of_another_size_is_told_with_both_sizes(results: Results) -> None:
    results.write(PHASE, png_bytes(noise((9, 11), np.uint16)))
    with pytest.raises(
        BadArtifact, match="phase picture has 11 x 9 pixels, the record says 12 x 9"
    ):
        results.back(way="pictures", force=True)


@pytest.mark.parametrize(
    ("recipe", "way", "told"),
    [
        ("metadata=yes bits=16 phase=no", None, "no phase: .* without --no-phase"),
        ("metadata=yes bits=16", "spectrum", "no spectrum: .* with --spectrum"),
        ("metadata=yes colour=yes", None, "picture is in colour: analyse again without colour"),
    ],
)
def test_what_cannot_be_inverted_says_what_to_do(recipe: str, way: str | None, told: str) -> None:
    with pytest.raises(NotInvertible, match=told):
        Results(png_bytes(noise((9, 12))), recipe).back(way=way)


def test_without_phase_a_saved_spectrum_still_gives_the_image_back() -> None:
    results = Results(png_bytes(noise((9, 12))), "metadata=yes phase=no spectrum=yes")
    assert np.array_equal(results.back()[0], noise((9, 12)))


def test_a_rejected_source_has_nothing_to_go_back_from(results: Results) -> None:
    record = rejected(Source("leaf.png", b""), Recipe(), EmptyImage("the file is empty"))
    results.write(RECORD, records.to_bytes(record))
    with pytest.raises(NotInvertible, match="rejected"):
        results.back()


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"text",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"1",
        b"{}",
        b'{"schema": "fft-tool/record/2"}',
    ],
)
def test_what_is_no_record_is_told(results: Results, text: bytes) -> None:
    results.write(RECORD, text)
    with pytest.raises(BadArtifact, match="not a record"):
        results.back()


@pytest.mark.parametrize("data", [b"", b"text", b"PK\3\4", b"\x93NUMPY", png_bytes(noise((2, 2)))])
def test_what_is_no_spectrum_is_told(results: Results, data: bytes) -> None:
    results.write(SPECTRUM, data)
    with pytest.raises(BadArtifact, match="not a spectrum saved by fft-tool"):
        results.back(force=True)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths of all values in a record but its long lists of numbers."""
    yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, (*path, key))
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for index, inner in enumerate(value[:4]):
            yield from places(inner, (*path, index))


def altered(record: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    """Copy a record with one value replaced, or removed (``...``)."""
    changed = copy.deepcopy(record)
    home: Any = changed
    for key in path[:-1]:
        home = home[key]
    if value is ...:
        del home[path[-1]]
    else:
        home[path[-1]] = value
    return changed


def end(results: Results, name: str, **options: Any) -> str:
    """Outcome of an attempt to invert: an image, an error of this project, or a bug."""
    try:
        pixels, _ = results.back(name, **options)
    except FftToolError as exc:
        return "reason" if str(exc) else "no reason"
    except Exception as exc:  # noqa: BLE001  (this is what is looked for)
        return repr(exc)
    return "image" if pixels.size else "no image"


@pytest.mark.parametrize("value", [..., None, "text", 0, -1.5, 1e308, []], ids=repr)
@pytest.mark.parametrize("way", ["pictures", "spectrum"])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # numpy's, about numbers without sense
def test_a_record_with_any_value_wrong_gives_an_image_or_a_reason(value: Any, way: str) -> None:
    density = chunk(b"pHYs", struct.pack(">IIB", 9, 9, 1))
    recipe = f"{INVERTIBLE} spectrum=yes detrend=linear window=hamming"
    results = Results(png_bytes(noise((9, 12)), density), recipe)
    record, ends = results.record, {}
    for path in places(record):
        if path and path[0] not in ("statistics", "measures"):
            results.write(RECORD, json.dumps(altered(record, path, value)).encode())
            ends[path] = end(results, RECORD, way=way)
    assert {path: end for path, end in ends.items() if end not in ("image", "reason")} == {}


def test_a_spectrum_with_any_byte_wrong_gives_an_image_or_a_reason(results: Results) -> None:
    sound = results.get(SPECTRUM)
    ends = set()
    for place in range(0, len(sound), 3):
        for change in (0x01, 0x80, 0xFF):
            damaged = bytearray(sound)
            damaged[place] ^= change
            results.write(SPECTRUM, bytes(damaged))
            ends.add(end(results, SPECTRUM))
    assert ends <= {"image", "reason"}


def npz(**arrays: Any) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "arrays",
    [
        {"half": np.zeros((4, 3), np.complex64)},
        {"half": np.zeros((4, 3), np.float32), "shape": [4, 4]},
        {"half": np.zeros((4, 3), np.complex64), "shape": [5, 4]},
        {"half": np.zeros((4, 3), np.complex64), "shape": [4, 7]},
        {"half": np.zeros((4, 3), np.complex64), "shape": [4]},
        {"half": np.zeros((4, 3, 1), np.complex64), "shape": [4, 4]},
        {"half": np.zeros(3, np.complex64), "shape": [1, 4]},
        {"half": np.zeros((0, 1), np.complex64), "shape": [0, 0]},
        {"half": np.zeros((4, 3), np.complex64), "shape": ["a", "b"]},
        {"half": np.zeros((4, 3), np.complex64), "shape": [4.0, 4.5]},
        {"half": np.full((4, 3), np.nan, np.complex64), "shape": [4, 4]},
    ],
    ids=lambda arrays: " ".join(f"{key}={np.shape(value)}" for key, value in arrays.items()),
)
def test_a_spectrum_whose_arrays_make_no_sense_is_refused(
    results: Results, arrays: dict[str, Any]
) -> None:
    preparation = np.array(json.dumps(results.record["spectrum"]["preparation"]))
    results.write(SPECTRUM, npz(preparation=preparation, **arrays))
    with pytest.raises(FftToolError):
        results.back(SPECTRUM)


def test_a_spectrum_cannot_run_code(results: Results) -> None:
    results.write(SPECTRUM, npz(half=np.array([print], dtype=object)))
    with pytest.raises(BadArtifact) as refused:
        results.back(SPECTRUM)
    assert "pickle" not in str(refused.value)


# What it says of itself


def zone_plate(shape: tuple[int, int], phase: float = 0.0, zones: int | None = None) -> Any:
    """Rings around the centre whose frequency rises to Nyquist at the border."""
    y, x = np.indices(shape)
    squares = np.square(y - shape[0] // 2) + np.square(x - shape[1] // 2)
    rings = 127.5 + 127.5 * np.cos(np.pi * squares / (zones or max(shape)) + phase)
    return np.rint(rings).astype(np.uint8)


ZONE_PLATES = [
    ((512, 512), 0.0),
    ((512, 512), np.pi / 2),
    ((511, 511), np.pi),
    ((513, 513), 0.0),
    ((512, 768), 0.0),
]


@pytest.mark.parametrize("way", ["pictures", "spectrum"])
@pytest.mark.parametrize(("shape", "phase"), ZONE_PLATES)
def test_zone_plates_come_back_bit_for_bit(shape: tuple[int, int], phase: float, way: str) -> None:
    """The error of all coefficients meets in one pixel, the centre."""
    plane = zone_plate(shape, phase)
    results = Results(
        png_bytes(plane), f"{INVERTIBLE} spectrum={'yes' if way == 'spectrum' else 'no'}"
    )
    result = reconstruct(RECORD, results.get, way=way)
    assert np.array_equal(np.asarray(opened(result.data)), plane)
    assert (result.exact, result.max_abs_error, result.warnings) == (True, 0, ())
    said = results.record["certificate"]
    assert (said["exact"], said["max_abs_error"]) == (True, 0)
    assert said["corrected_pixels"] == result.corrected_pixels
    assert (0 < result.corrected_pixels < 8) is (way == "pictures")


def test_without_its_correction_a_zone_plate_is_called_inexact() -> None:
    """The hash tells, whatever the record's other numbers say."""
    results = Results(png_bytes(zone_plate((512, 512))))
    record = results.record
    del record["certificate"]["ways"]["pictures"]["correction"]
    results.write(RECORD, json.dumps(record).encode())
    result = reconstruct(RECORD, results.get)
    assert result.exact is False
    assert result.warnings == (
        "not exact, although the record says so: the image differs from the one analysed",
    )
    assert result.to_json() == {
        "from": "pictures",
        "exact": False,
        "max_abs_error": None,
        "corrected_pixels": 0,
        "warnings": list(result.warnings),
    }


PERIODIC = [
    (family, shape, seed)
    for family in ("wave", "checkerboard", "gradient", "text")
    for shape in ((64, 64), (100, 81), (256, 256), (2, 700), (500, 3), (1, 40))
    for seed in (0,)
]


def test_images_without_their_smooth_component_come_back_bit_for_bit() -> None:
    for family, shape, seed in PERIODIC:
        plane = plane_of(family, shape, seed=seed)
        results = Results(png_bytes(plane), f"{INVERTIBLE} periodic=yes")
        assert results.record["certificate"]["exact"], (family, shape, seed)
        assert np.array_equal(results.back()[0], plane)


def test_a_periodic_split_of_a_zone_plate_is_exact_too() -> None:
    plane = zone_plate((512, 512), phase=1.0)
    results = Results(png_bytes(plane), f"{INVERTIBLE} periodic=yes detrend=linear")
    assert np.array_equal(results.back()[0], plane)
    assert results.back()[1] == ()


def test_records_without_jumps_are_still_inverted() -> None:
    """Those of earlier versions, and of images with too many border pixels."""
    plane = pink_noise((60, 80))
    results = Results(png_bytes(plane), f"{INVERTIBLE} periodic=yes")
    record = results.record
    del record["spectrum"]["preparation"]["jumps"]
    results.write(RECORD, json.dumps(record).encode())
    assert np.array_equal(results.back()[0], plane)


@pytest.mark.parametrize("text", ["", "AAAA", "!" * 400, 7, None, "A" * 40_000_000])
def test_jumps_that_make_no_sense_are_refused(text: Any) -> None:
    results = Results(png_bytes(noise((60, 80))), f"{INVERTIBLE} periodic=yes")
    record = results.record
    sound = record["spectrum"]["preparation"]["jumps"]
    record["spectrum"]["preparation"]["jumps"] = (
        "/38A" * (len(sound) // 4) if text is None else text
    )
    with pytest.raises(BadArtifact, match="does not say how the pictures were made"):
        Inversion.from_record(record)


def test_a_saved_spectrum_alone_tells_whether_it_is_exact(results: Results) -> None:
    assert reconstruct(SPECTRUM, results.get).exact is True
    spectrum, preparation = load_spectrum(results.get(SPECTRUM))
    spectrum.half[2, 3] += 4000
    text = spectrum_text(results.get(SPECTRUM))
    results.write(SPECTRUM, save_spectrum(spectrum, preparation, text))
    result = reconstruct(SPECTRUM, results.get)
    assert result.exact is False
    assert result.warnings == ("not exact: the image differs from the one analysed",)
    results.write(SPECTRUM, save_spectrum(spectrum, preparation))
    result = reconstruct(SPECTRUM, results.get)
    assert result.exact is None
    assert result.warnings == (
        "whether it is exact is unknown: neither record nor spectrum states it",
    )


def test_records_of_earlier_versions_are_believed() -> None:
    results = Results(png_bytes(noise((9, 12))), "metadata=yes")
    record = results.record
    del record["certificate"]["grey_sha256"]
    results.write(RECORD, json.dumps(record).encode())
    result = reconstruct(RECORD, results.get)
    assert result.exact is record["certificate"]["exact"]
    assert result.max_abs_error == record["certificate"]["max_abs_error"]
    results.write(MAGNITUDE, png_bytes(np.asarray(opened(results.get(MAGNITUDE)))))
    assert reconstruct(RECORD, results.get, force=True).exact is None
