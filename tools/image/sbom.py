"""Print or write the bill of materials of an image or a wheel (CycloneDX 1.5, JSON).

    python3 -m tools.image.sbom image                      the function's image, by its default tag
    python3 -m tools.image.sbom image REPOSITORY:TAG
    python3 -m tools.image.sbom image image.tar            as written by ``docker save``
    python3 -m tools.image.sbom wheel dist/NAME.whl …      writes dist/NAME.whl.cdx.json

An image contains its bill, /opt/sbom.cdx.json. A wheel's bill lists the packages that
requirements.txt pins, with the checksums that it allows.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from email.parser import Parser
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from tools.errors import ToolError
from tools.image.bill import FILE, Json, bill, licences, package, sha256
from tools.image.build import default_tag
from tools.image.builders import ROOT, archived

PLACE = f"opt/{FILE}"
REQUIREMENT = re.compile(r"^([a-z0-9-]+)==([^\s;]+)((?:.*\\\n)(?: +--hash=.*\n)+)", re.MULTILINE)

# Packages in requirements.txt that are needed only to build the wheel.
BUILDS = {"setuptools"}


def of_image(archive: Path) -> bytes:
    """Read the bill inside an image, given an archive made by ``docker save``."""
    with tarfile.open(archive) as image:
        (manifest,) = json.loads(_member(image, "manifest.json"))
        for name in reversed(manifest["Layers"]):
            with tarfile.open(fileobj=image.extractfile(name)) as layer:
                for entry in layer:
                    if entry.name.removeprefix("./") == PLACE:
                        return _member(layer, entry.name)
    raise ToolError(f"the image has no /{PLACE}: it was not built from this version")


def _member(archive: tarfile.TarFile, name: str) -> bytes:
    found = archive.extractfile(name)
    assert found is not None, name  # noqa: S101  (a file, in every such archive)
    return found.read()


def of_wheel(wheel: Path, lock: str) -> Json:
    """The bill of a wheel: its dependencies, as pinned in a lock file."""
    with zipfile.ZipFile(wheel) as files:
        (name,) = (name for name in files.namelist() if name.endswith(".dist-info/METADATA"))
        about = Parser().parsestr(files.read(name).decode())
    subject = package(
        about["Name"],
        about["Version"],
        hashes=sha256(hashlib.sha256(wheel.read_bytes()).hexdigest()),
        licenses=[{"expression": about["License-Expression"]}],
    )
    return bill(subject, _locked(lock))


def _locked(lock: str) -> Iterator[Json]:
    for name, version, rest in REQUIREMENT.findall(lock):
        allowed = [sha256(digest)[0] for digest in re.findall(r"sha256:([0-9a-f]{64})", rest)]
        files = {"type": "distribution", "url": f"pkg:pypi/{name}@{version}", "hashes": allowed}
        yield package(
            name,
            version,
            scope="excluded" if name in BUILDS else "required",
            licenses=_licences(name),
            externalReferences=[files],
        )


def _licences(name: str) -> list[Json]:
    try:
        return licences(distribution(name))
    except PackageNotFoundError:  # needed on other systems only
        return []


def show(image: str) -> bytes:
    """The bill of an image in the builder's store, or of an archive."""
    with archived(image) as archive:
        return of_image(archive)


def main(*words: str) -> None:
    """Print the bill of an image, or write the bills of wheels."""
    match words:
        case ("image", *names) if len(names) < 2:
            sys.stdout.buffer.write(show(*names or [default_tag("lambda")]))
        case ("wheel", _, *_):
            lock = (ROOT / "requirements.txt").read_text("utf-8")
            for wheel in map(Path, words[1:]):
                out = wheel.with_name(f"{wheel.name}.cdx.json")
                out.write_text(json.dumps(of_wheel(wheel, lock), indent=1) + "\n", "utf-8")
                print(out)
        case _:
            sys.stderr.write(__doc__ or "")
            sys.exit(2)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except ToolError as exc:
        sys.exit(f"sbom.py: {exc}")
