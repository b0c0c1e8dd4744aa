"""Assets: uploaded once, however often and however many at once."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from fft_tool.errors import EmptyImage, TooManyBytes, UnknownFormat
from fft_tool.limits import FORMATS
from service.catalogue.assets import MEDIA_TYPES, find_asset, source_of
from service.database.tables import ASSETS, JOBS, TENANTS
from service.errors import NotHere
from service.parts import Parts
from tests.support.images import png_of_zeros
from tests.support.service import settings_in, work_off
from tests.support.service_assets import TENANT, add_asset, add_done, blobs, photo, rows

BROKEN = photo()[:-40]


def test_an_upload_is_an_asset_with_a_job_that_waits(parts: Parts) -> None:
    uploaded = add_asset(parts)
    assert (uploaded.asset_id, uploaded.status, uploaded.job_id) == (1, "queued", 1)
    assert uploaded.content_hash == hashlib.sha256(photo()).hexdigest()
    asset = find_asset(parts, 1, TENANT)
    assert (asset.tenant_name, asset.name, asset.content_type) == (TENANT, "photo.png", "image/png")
    assert (asset.bytes, asset.created_at) == (len(photo()), parts.clock.now())
    assert (asset.width, asset.renditions, asset.artifacts) == (None, (), ())
    assert source_of(parts, 1, TENANT).data == photo()


def test_the_same_bytes_are_the_same_asset_and_job(parts: Parts) -> None:
    first = add_asset(parts)
    assert add_asset(parts, name="other.png") == first
    assert len(rows(parts, JOBS)) == 1
    assert find_asset(parts, 1, TENANT).name == "photo.png"


def test_fifty_uploads_of_the_same_bytes_at_once_are_one_asset_and_one_job(parts: Parts) -> None:
    with ThreadPoolExecutor(50) as pool:
        uploaded = set(pool.map(lambda _: add_asset(parts), range(50)))
    assert len(uploaded) == 1
    assert [len(rows(parts, table)) for table in (TENANTS, ASSETS, JOBS)] == [1, 1, 1]
    assert len(blobs(parts)) == 1
    assert work_off(parts) == 1


def test_equal_bytes_of_two_tenants_are_two_assets_and_one_blob(parts: Parts) -> None:
    assert add_asset(parts, tenant="one").asset_id != add_asset(parts, tenant="two").asset_id
    assert len(blobs(parts)) == 1


def test_uploading_again_tells_the_state_of_the_job(parts: Parts) -> None:
    add_done(parts)
    assert add_asset(parts).status == "done"
    assert work_off(parts) == 0


def test_uploading_again_after_a_failure_queues_the_job_again(parts: Parts) -> None:
    first = add_asset(parts, BROKEN)
    work_off(parts)
    failed = find_asset(parts, 1, TENANT).job
    assert (failed.state, failed.error_code) == ("failed", "corrupt-image")
    again = add_asset(parts, BROKEN)
    assert (again.job_id, again.status) == (first.job_id, "queued")
    assert work_off(parts) == 1
    assert find_asset(parts, 1, TENANT).job.state == "failed"


@pytest.mark.parametrize("tenant", ["other", "", "ACME", None])
def test_what_others_have_is_not_here_as_what_does_not_exist(
    parts: Parts, tenant: str | None
) -> None:
    add_asset(parts)
    if tenant is None:  # an administrator
        assert find_asset(parts, 1, tenant).tenant_name == TENANT
        return
    with pytest.raises(NotHere) as foreign:
        find_asset(parts, 1, tenant)
    with pytest.raises(NotHere) as unknown:
        find_asset(parts, 999, tenant)
    assert str(foreign.value).replace("1", "999") == str(unknown.value)
    with pytest.raises(NotHere):
        source_of(parts, 1, tenant)


@pytest.mark.parametrize(
    ("data", "error"),
    [(b"", EmptyImage), (b"hello", UnknownFormat), (b"<html>", UnknownFormat)],
)
def test_what_is_no_image_is_refused_and_leaves_nothing(
    parts: Parts, data: bytes, error: type[Exception]
) -> None:
    with pytest.raises(error):
        add_asset(parts, data)
    assert [rows(parts, table) for table in (TENANTS, ASSETS, JOBS)] == [[], [], []]
    assert blobs(parts) == set()


def test_formats_and_sizes_are_those_of_the_settings(parts: Parts, tmp_path: Path) -> None:
    strict = settings_in(tmp_path, FORMATS="jpeg", MAX_UPLOAD_BYTES="100")
    with pytest.raises(TooManyBytes):
        add_asset(replace(parts, settings=strict))
    with pytest.raises(UnknownFormat, match="png is not accepted here, only jpeg"):
        add_asset(replace(parts, settings=strict), png_of_zeros(1, 1))


def test_a_file_without_a_name_gets_one(parts: Parts) -> None:
    add_asset(parts, name="")
    assert find_asset(parts, 1, TENANT).name == "image.png"


def test_every_format_has_a_media_type_of_ours() -> None:
    assert set(MEDIA_TYPES) == set(FORMATS)
    assert not {kind for kind in MEDIA_TYPES.values() if "html" in kind or "svg" in kind}
