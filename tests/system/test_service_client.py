"""A client that is generated from the OpenAPI description can do all that the service does."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import pytest
from PIL import Image

from tests.support.command import environment
from tests.support.images import noise, png_bytes
from tests.support.running_service import RunningService, running_service, until

pytestmark = pytest.mark.slow

PACKAGE = "generated_client"
TENANT = "acme"
PICTURES = ("image/png", "image/jpeg", "image/webp", "image/avif", "application/x-npz")

# The generator has to be told which media types are files.
CONFIG = {
    "post_hooks": [],
    "content_type_overrides": dict.fromkeys(PICTURES, "application/octet-stream"),
}

PIXELS = noise((120, 160))
IMAGE = png_bytes(PIXELS)


@dataclass(frozen=True)
class Generated:
    """The client's modules of operations, and its connection to a running service."""

    connection: Any

    def call(self, operation: str, *words: Any, **given: Any) -> Any:
        """What an operation returns: ``catalogue.upload``."""
        return import_module(f"{PACKAGE}.api.{operation}").sync(
            *words, client=self.connection, **given
        )

    def model(self, name: str) -> Any:
        """A class of the client."""
        return getattr(import_module(f"{PACKAGE}.models"), name)

    def file(self, data: bytes) -> Any:
        """A file to be sent."""
        return import_module(f"{PACKAGE}.types").File(io.BytesIO(data), "a.png", "image/png")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    with running_service(tmp_path_factory.mktemp("service"), AUTHENTICATION="keys") as running:
        yield running


@pytest.fixture(scope="module")
def package(
    service: RunningService, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[str]]:
    """Generate the client, and make it importable; what the generator wrote."""
    folder = tmp_path_factory.mktemp("client")
    config, description = folder / "config.yml", folder / "openapi.json"
    config.write_text(json.dumps(CONFIG))  # JSON is YAML, too
    with service.client() as client:
        description.write_bytes(client.get("/openapi.json").raise_for_status().content)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "openapi_python_client", "generate"),
            *("--path", str(description), "--config", str(config), "--meta", "none"),
            *("--output-path", str(folder / PACKAGE), "--fail-on-warning"),
        ],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    sys.path.insert(0, str(folder))
    yield done.stdout.splitlines()
    sys.path.remove(str(folder))


@pytest.fixture(scope="module")
def generated(service: RunningService, package: list[str]) -> Iterator[Generated]:  # noqa: ARG001  (makes it importable)
    """The client, with the key of the tenant."""
    key = service.command("keys", "make", "--tenant", TENANT).lines[0]
    authenticated = import_module(PACKAGE).AuthenticatedClient
    with authenticated(
        service.url, token=key, raise_on_unexpected_status=True, httpx_args={"trust_env": False}
    ) as connection:
        yield Generated(connection)


@pytest.fixture(scope="module")
def asset(generated: Generated) -> Any:
    """An asset that is done."""
    body = generated.model("UploadBody")(file=generated.file(IMAGE), tenant_name=TENANT)
    uploaded = generated.call("catalogue.upload", body=body)
    assert isinstance(uploaded, generated.model("Uploaded"))

    def done() -> Any:
        found = generated.call("catalogue.retrieve_asset", uploaded.asset_id)
        assert found.status != "failed"
        return found if found.status == "done" else None

    return until(done)


def picture_of(answer: Any) -> Image.Image:
    return Image.open(answer.payload)


def test_the_description_is_complete_for_the_generator(package: list[str]) -> None:
    assert not [line for line in package if "warning" in line.lower()]


def test_assets_are_typed(generated: Generated, asset: Any) -> None:
    assert isinstance(asset, generated.model("Asset"))
    assert (asset.tenant_name, asset.name, asset.bytes_) == (TENANT, "a.png", len(IMAGE))
    assert (asset.width, asset.height) == (160, 120)
    assert {each.preset: (each.width, each.height) for each in asset.renditions} == {
        "thumb": (100, 75),
        "card": (160, 120),
        "zoom": (160, 120),
    }
    assert {each.kind for each in asset.artifacts} == {"magnitude", "phase", "histogram", "record"}


def test_renditions_are_files(generated: Generated, asset: Any) -> None:
    answer = generated.call("catalogue.retrieve_rendition", asset.asset_id, "thumb")
    assert picture_of(answer).size == (100, 75)


def test_artifacts_take_the_keys_of_a_recipe(generated: Generated, asset: Any) -> None:
    bits = generated.model("RetrieveArtifactBits").VALUE_1
    answer = generated.call(
        "catalogue.retrieve_artifact", asset.asset_id, "magnitude", crop="0,0,64,32", bits=bits
    )
    picture = picture_of(answer)
    assert (picture.size, picture.mode) == ((64, 32), "I;16")


def test_comparisons_are_typed(generated: Generated, asset: Any) -> None:
    changed = PIXELS.copy()
    changed[0, 0] ^= 8
    body = generated.model("CompareBody")(file=generated.file(png_bytes(changed)))
    found = generated.call("catalogue.compare", asset.asset_id, body=body)
    assert isinstance(found, generated.model("Compared"))
    assert [each.preset for each in found.presets] == ["thumb", "card", "zoom"]
    assert found.originals.psnr_db == pytest.approx(72.9, abs=0.1)  # one pixel of 160 × 120, by 8
    assert found.originals.identical is False


def test_usage_is_typed(generated: Generated, asset: Any) -> None:
    usage = generated.call("operation.retrieve_usage", TENANT)
    assert isinstance(usage, generated.model("Usage"))
    assert (usage.assets, usage.sources.bytes_) == (1, asset.bytes_)
    assert usage.jobs.to_dict()["done"] == 1


def test_products_are_cropped_at_once_or_later(generated: Generated) -> None:
    box = generated.model("CropManuallyBodyCropBox")(x=8, y=4, width=40, height=30)
    info = generated.model("CropManuallyBodyProductInfo")(product_id="ABC-123")
    body = generated.model("CropManuallyBody")(generated.file(IMAGE), info, box)
    made = generated.call("products.crop_manually", body=body)
    path = made.retrieval_url.removeprefix("/images/")
    assert picture_of(generated.call("products.retrieve_image", path)).size == (40, 30)

    info = generated.model("CropSmartlyBodyProductInfo")(product_id="ABC-123", width=48, height=48)
    body = generated.model("CropSmartlyBody")(generated.file(IMAGE), info)
    made = generated.call("products.crop_smartly", body=body)

    def is_ready() -> bool:
        status = generated.call("products.image_status", made.image_id).status
        assert status != "failed"
        return bool(status == "ready")

    until(is_ready)
    path = made.retrieval_url.removeprefix("/images/")
    assert picture_of(generated.call("products.retrieve_image", path)).size == (48, 48)


def test_refusals_are_typed(generated: Generated) -> None:
    problem = generated.call("catalogue.retrieve_asset", 99)
    assert isinstance(problem, generated.model("Problem"))
    assert (problem.status, problem.code) == (404, "not-found")
    problem = generated.call("operation.purge")
    assert (problem.status, problem.code) == (403, "forbidden")
