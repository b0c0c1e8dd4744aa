"""Bills of materials: their contents and their conformance to the schema."""

from __future__ import annotations

import copy
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import jsonschema  # type: ignore[import-untyped]
import pytest
from referencing import Registry, Resource

import fft_tool
from tests.support.container import Image
from tests.support.image_builds import ROOT, script
from tools.image import bill

pytest_plugins = ["tests.support.image_builds_fixtures"]

Json = dict[str, Any]
SCHEMAS = "audit/lib/python3.*/site-packages/cyclonedx/schema/_res"
STATUS = """Package: libc6
Status: install ok installed
Architecture: amd64
Version: 2.41-12+deb13u1
Description: GNU C Library
 Version: of the description, not of the package

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1:2~rc1
"""
BASE = f"docker.io/library/python:3.13-slim@sha256:{64 * 'a'}"

DOCKER_HUB = "repository_url=docker.io/library/python"


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft7Validator:
    """The published schema, from the environment of the audit."""
    found = list(Path(sys.prefix).glob(SCHEMAS))
    if not found:
        pytest.skip("the schema is not there: make .venv/audit/.done")
    names = ("bom-1.5", "spdx", "jsf-0.82")
    schemas = [
        json.loads((found[0] / f"{name}.SNAPSHOT.schema.json").read_text()) for name in names
    ]
    known = Registry().with_resources(
        (urljoin(schemas[0]["$id"], f"{name}.SNAPSHOT.schema.json"), Resource.from_contents(schema))
        for name, schema in zip(names, schemas, strict=True)
    )
    return jsonschema.Draft7Validator(
        schemas[0], registry=known, format_checker=jsonschema.FormatChecker()
    )


def names(found: Json) -> dict[str, Json]:
    return {entry["name"]: entry for entry in found["components"]}


@pytest.fixture(scope="module")
def of_wheel(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Json]:
    """A wheel, and its bill."""
    folder = tmp_path_factory.mktemp("dist")
    words = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    copied = folder / "source"
    subprocess.run(["git", "clone", "--quiet", "--depth=1", ROOT.as_uri(), copied], check=True)
    subprocess.run([*words, "--wheel-dir", folder, copied], check=True)
    (wheel,) = folder.glob("*.whl")
    done = script("-m", "tools.image.sbom", "wheel", wheel)
    assert done.returncode == 0, done.stderr
    out = Path(done.stdout.strip())
    assert out == wheel.with_name(f"{wheel.name}.cdx.json")
    return wheel, json.loads(out.read_text("utf-8"))


@pytest.mark.slow
def test_the_bill_of_a_wheel_conforms_to_the_schema(
    of_wheel: tuple[Path, Json], validator: jsonschema.Draft7Validator
) -> None:
    validator.validate(of_wheel[1])


@pytest.mark.slow
def test_the_bill_of_a_wheel_lists_all_pinned_packages_with_checksums(
    of_wheel: tuple[Path, Json],
) -> None:
    wheel, found = of_wheel
    subject = found["metadata"]["component"]
    assert subject["purl"] == f"pkg:pypi/fft-pipeline@{fft_tool.__version__}"
    assert subject["hashes"][0]["content"] == hashlib.sha256(wheel.read_bytes()).hexdigest()
    assert subject["licenses"] == [{"expression": "MIT"}]
    lock = (ROOT / "requirements.txt").read_text("utf-8")
    pinned = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", lock, re.MULTILINE))
    entries = names(found)
    assert {name: entry["version"] for name, entry in entries.items()} == pinned
    listed = [
        digest["content"]
        for entry in entries.values()
        for digest in entry["externalReferences"][0]["hashes"]
    ]
    assert sorted(listed) == sorted(re.findall(r"sha256:(\w+)", lock))
    assert {name for name, entry in entries.items() if entry["scope"] == "excluded"} == {
        "setuptools"
    }
    assert entries["numpy"]["licenses"]


def test_the_bill_of_an_image_lists_base_system_interpreter_and_packages(
    validator: jsonschema.Draft7Validator, tmp_path: Path
) -> None:
    about = tmp_path / "lib/python3.13/site-packages/Zope.Interface-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Name: Zope.Interface\nVersion: 1.0+local\nLicense: ZPL 2.1\n")
    report = {
        "install": [
            {
                "metadata": {"name": "zope.interface"},
                "download_info": {"archive_info": {"hashes": {"sha256": 64 * "f"}}},
            }
        ]
    }
    found = bill.bill(
        {"type": "container", "bom-ref": "x", "name": "x", "version": "1"},
        [
            bill.base_image(BASE),
            bill.python(),
            *bill.system('ID=debian\nVERSION_ID="13"\n'),
            *bill.debian(STATUS),
            *bill.packages(tmp_path, dict(bill.checksums(report))),
        ],
    )
    validator.validate(found)
    entries = names(found)
    assert set(entries) == {
        *("docker.io/library/python", "cpython", "debian", "libc6", "zope-interface"),
    }
    assert entries["docker.io/library/python"]["version"] == f"sha256:{64 * 'a'}"
    assert entries["libc6"]["purl"] == "pkg:deb/debian/libc6@2.41-12%2Bdeb13u1?arch=amd64"
    assert entries["zope-interface"]["hashes"] == [{"alg": "SHA-256", "content": 64 * "f"}]
    assert entries["zope-interface"]["licenses"] == [{"license": {"name": "ZPL 2.1"}}]


@pytest.mark.parametrize(
    ("base", "purl"),
    [
        (BASE, f"pkg:oci/python@sha256%3A{64 * 'a'}?{DOCKER_HUB}&tag=3.13-slim"),
        ("localhost:5000/x:1", "pkg:oci/x@1?repository_url=localhost%3A5000/x&tag=1"),
        ("localhost:5000/x", "pkg:oci/x?repository_url=localhost%3A5000/x"),
    ],
)
def test_a_base_image_has_a_valid_purl(base: str, purl: str) -> None:
    assert bill.base_image(base)["purl"] == purl


def test_the_serial_number_does_not_depend_on_the_order() -> None:
    parts = [bill.package(name, "1") for name in "abc"]
    subject = {"type": "container", "bom-ref": "x", "name": "x"}
    assert bill.bill(subject, parts) == bill.bill(subject, reversed(parts))
    other = copy.deepcopy(parts)
    other[0]["version"] = "2"
    assert bill.bill(subject, other)["serialNumber"] != bill.bill(subject, parts)["serialNumber"]


def test_a_bill_has_the_same_timestamp_as_the_other_files() -> None:
    """Both build scripts define the constant, since each is copied alone into the build."""
    prune = (ROOT / "docker" / "prune.py").read_text("utf-8")
    assert f"\nEPOCH = {bill.EPOCH:_}  #" in prune


def test_an_image_without_a_bill_is_an_error(tmp_path: Path) -> None:
    archive = tmp_path / "image.tar"
    with tarfile.open(archive, "w") as tar:
        for name, data in (("manifest.json", b'[{"Layers": []}]'),):
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    done = script("-m", "tools.image.sbom", "image", archive)
    assert done.returncode == 1
    assert done.stderr.startswith("sbom.py: the image has no /opt/sbom.cdx.json")


@pytest.mark.parametrize("words", [[], ["wheel"], ["disk"]])
def test_wrong_usage_is_explained(words: list[str]) -> None:
    done = script("-m", "tools.image.sbom", *words)
    assert done.returncode == 2
    assert "tools.image.sbom image" in done.stderr


# The images.


@pytest.mark.slow
def test_images_contain_their_bill(
    image: Image,
    cli: Image,
    service: Image,
    local_aws: Image,
    validator: jsonschema.Draft7Validator,
    tmp_path: Path,
) -> None:
    locks = [ROOT / name / "requirements.txt" for name in ("", "docker", "service", "tools")]
    text = "".join(lock.read_text("utf-8") for lock in locks)
    for number, one in enumerate((image, cli, service, local_aws)):
        archive = tmp_path / f"{number}.tar"
        one.save(archive)
        done = script("-m", "tools.image.sbom", "image", archive)
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        validator.validate(found)
        assert found["metadata"]["component"]["version"] == fft_tool.__version__
        entries = {entry.get("purl", ""): entry for entry in found["components"]}
        ours = {purl: entry for purl, entry in entries.items() if purl.startswith("pkg:pypi/")}
        code = (
            "import importlib.metadata as m;"
            "print(*{f'{d.name}=={d.version}' for d in m.distributions()}, sep='\\n')"
        )
        installed = {line.lower().replace("_", "-") for line in one.python(code) if "==" in line}
        assert {f"{entry['name']}=={entry['version']}" for entry in ours.values()} <= installed
        assert len(ours) >= 8
        for entry in ours.values():
            (digest,) = entry["hashes"]
            assert digest["content"] in text, entry["name"]
        assert any(purl.startswith("pkg:deb/debian/libc6@") for purl in entries)
        base = one.config["Labels"]["org.opencontainers.image.base.name"]
        assert any(
            entry["type"] == "container" and base.startswith(entry["name"])
            for entry in found["components"]
        )
        assert os.fspath(ROOT) not in done.stdout
