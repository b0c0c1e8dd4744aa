"""Product images from the form to the folder of results: at once, and by a job."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from fft_tool.errors import CorruptImage, CropOutside, EmptyImage, StoreFull, UnknownFormat
from fft_tool.image.region import Box
from fft_tool.stores.folder import FolderStore
from service.database.tables import JOBS, POISON_JOBS, PRODUCT_IMAGES, QUEUED
from service.errors import NotHere
from service.jobs import table
from service.jobs.sweep import sweep
from service.parts import Parts
from service.products import crops
from service.products.asked import ManualCrop, SmartCrop, parse_smart
from service.products.crops import ProductImage
from service.products.results import Results
from service.references import is_referenced
from tests.support.images import noise, opened, png_bytes
from tests.support.service import FixedClock, work_off

IMAGE = png_bytes(noise((120, 160, 3)))
SMART = parse_smart('{"product_id": "ABC-123"}', (64, 48))


@pytest.fixture
def upload(tmp_path: Path) -> Path:
    path = tmp_path / "upload"
    path.write_bytes(IMAGE)
    return path


def manual(box: Box) -> ManualCrop:
    return ManualCrop("ABC-123", box)


def smartly(parts: Parts, asked: SmartCrop, path: Path) -> ProductImage:
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return crops.crop_smartly(parts, None, asked, path, sha256)


def read(parts: Parts, path: str) -> bytes:
    return Results(parts.settings.processed_images).read(path).data


def rows(parts: Parts) -> list[sa.Row[tuple[object, ...]]]:
    with parts.database.read() as session:
        return list(session.execute(sa.select(PRODUCT_IMAGES).order_by(PRODUCT_IMAGES.c.id)))


def files(parts: Parts) -> list[str]:
    return sorted(path.name for path in parts.settings.processed_images.iterdir())


# At once.


def test_a_manual_crop_is_there_when_it_is_answered(parts: Parts) -> None:
    image = crops.crop_manually(parts, "acme", manual(Box(10, 20, 30, 40)), IMAGE)
    assert opened(read(parts, image.path)).size == (30, 40)
    assert crops.status_of(parts, image.image_id).status == "ready"
    (row,) = rows(parts)
    assert (row.mode, row.product_id, row.width, row.height) == ("manual", "ABC-123", 30, 40)
    assert row.bytes == len(read(parts, image.path))
    assert row.tenant_id is not None


def test_the_same_crop_twice_gives_two_images(parts: Parts) -> None:
    one, other = (
        crops.crop_manually(parts, None, manual(Box(0, 0, 8, 8)), IMAGE) for _ in range(2)
    )
    assert one.image_id != other.image_id
    assert read(parts, one.path) == read(parts, other.path)
    assert files(parts) == sorted([one.path, other.path])


def test_what_cannot_be_cropped_leaves_nothing(parts: Parts) -> None:
    with pytest.raises(CropOutside, match="the image has 160 x 120 pixels"):
        crops.crop_manually(parts, None, manual(Box(100, 0, 100, 10)), IMAGE)
    with pytest.raises(CorruptImage):
        crops.crop_manually(parts, None, manual(Box(0, 0, 1, 1)), IMAGE[:-40])
    assert not rows(parts)
    assert not files(parts)


def test_an_image_that_cannot_be_saved_has_failed(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: FolderStore, name: str, *__: object, **___: object) -> None:
        raise StoreFull(f"/somewhere/{name}: no space left on device")

    monkeypatch.setattr(FolderStore, "write", full)
    with pytest.raises(StoreFull):
        crops.crop_manually(parts, None, manual(Box(0, 0, 8, 8)), IMAGE)
    (row,) = rows(parts)
    status = crops.status_of(parts, row.id)
    assert (status.status, status.error_code) == ("failed", "store-full")
    assert "somewhere" not in str(status.error_message)


# By a job.


def test_a_smart_crop_is_waiting_then_ready(parts: Parts, upload: Path) -> None:
    image = smartly(parts, SMART, upload)
    upload.unlink()
    assert crops.status_of(parts, image.image_id).status == "waiting"
    with pytest.raises(NotHere):
        read(parts, image.path)
    assert work_off(parts) == 1
    assert opened(read(parts, image.path)).size == (64, 48)
    assert crops.status_of(parts, image.image_id).status == "ready"


def test_the_source_is_kept_until_the_job_is_done_and_then_released(
    parts: Parts, upload: Path
) -> None:
    smartly(parts, SMART, upload)
    (blob,) = parts.blobs.entries()
    with parts.database.read() as session:
        assert is_referenced(session, blob.sha256)
    work_off(parts)
    with parts.database.read() as session:
        assert not is_referenced(session, blob.sha256)


def test_a_sweep_spares_the_source_of_a_job_that_waits_however_long(
    parts: Parts, clock: FixedClock, upload: Path
) -> None:
    image = smartly(parts, SMART, upload)
    clock.advance(40 * 365 * 86_400)  # files are much older than the sweep spares
    sweep(parts)
    assert work_off(parts) == 1
    assert crops.status_of(parts, image.image_id).status == "ready"
    sweep(parts)
    assert not list(parts.blobs.entries())


def test_a_job_that_is_done_twice_has_one_result(parts: Parts, upload: Path) -> None:
    image = smartly(parts, SMART, upload)
    work_off(parts)
    first = read(parts, image.path)
    with parts.database.begin() as session:  # as if its worker had been killed before it was noted
        session.execute(sa.update(JOBS).values(state=QUEUED))
    assert work_off(parts) == 1
    assert read(parts, image.path) == first
    assert files(parts) == [image.path]
    assert len(rows(parts)) == 1


def test_a_failure_is_told_and_can_be_redriven(parts: Parts, upload: Path) -> None:
    upload.write_bytes(IMAGE[:-40])
    image = smartly(parts, SMART, upload)
    assert work_off(parts) == 1, "what can never succeed is not tried again"
    status = crops.status_of(parts, image.image_id)
    assert (status.status, status.error_code) == ("failed", "corrupt-image")
    with parts.database.begin() as session:
        (poison,) = session.execute(sa.select(POISON_JOBS)).all()
        assert table.redrive(session, poison.job_id, now=parts.clock.now())
    assert crops.status_of(parts, image.image_id).status == "waiting"
    assert work_off(parts) == 1
    assert crops.status_of(parts, image.image_id).status == "failed"


def test_what_is_not_an_image_is_refused_at_once(parts: Parts, upload: Path) -> None:
    upload.write_bytes(b"<svg/>")
    with pytest.raises(UnknownFormat):
        smartly(parts, SMART, upload)
    upload.write_bytes(b"")
    with pytest.raises(EmptyImage):
        smartly(parts, SMART, upload)
    only_jpeg = replace(parts, settings=replace(parts.settings, formats=("jpeg",)))
    upload.write_bytes(IMAGE)
    with pytest.raises(UnknownFormat, match="png is not accepted here"):
        smartly(only_jpeg, SMART, upload)
    assert not rows(parts)


def test_an_image_that_is_smaller_gives_what_it_has(parts: Parts, upload: Path) -> None:
    asked: SmartCrop = parse_smart('{"product_id": "a"}', (800, 800))
    image = smartly(parts, asked, upload)
    work_off(parts)
    assert opened(read(parts, image.path)).size == (120, 120)


def test_an_image_that_does_not_exist_is_not_here(parts: Parts) -> None:
    with pytest.raises(NotHere, match="there is no image 7"):
        crops.status_of(parts, 7)
