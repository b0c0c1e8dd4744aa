"""Bills of materials in the format CycloneDX 1.5.

    python3 bill.py NAME VERSION BASE [REPORT …]

writes ``sbom.cdx.json`` while an image is built: Debian's packages, Python, and the packages in
``/opt/venv``, each with the SHA-256 of its wheel, taken from pip's reports. The bill contains no
time and no random number, so the same image always has the same bill. The image build copies only
this file, so it imports nothing else of the project.
"""

from __future__ import annotations

import json
import os
import platform
import re
import sys
import uuid
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any
from urllib.parse import quote

Json = dict[str, Any]

FILE = "sbom.cdx.json"
ENVIRONMENT = Path("/opt/venv")
SYSTEM = Path("/etc/os-release")
INSTALLED = Path("/var/lib/dpkg/status")
EPOCH = 315_532_800  # time of all files in an image: 1980, as in docker/prune.py
LICENCE_FIELDS = ("License-Expression", "License", "Classifier")


def bill(subject: Json, parts: Iterable[Json]) -> Json:
    """Sort the parts; the serial number is derived from the contents."""
    by_reference = {part["bom-ref"]: part for part in parts}
    contents: Json = {
        "metadata": {"component": subject},
        "components": [by_reference[reference] for reference in sorted(by_reference)],
    }
    text = json.dumps(contents, sort_keys=True)
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, text)}",
        "version": 1,
        **contents,
    }


def component(kind: str, purl: str, name: str, version: str, **more: Any) -> Json:
    """One entry, without empty fields."""
    entry = {"type": kind, "bom-ref": purl, "name": name, "version": version, "purl": purl, **more}
    return {key: value for key, value in entry.items() if value}


def package(name: str, version: str, **more: Any) -> Json:
    """An entry for a Python package."""
    normal = normalized(name)
    return component("library", f"pkg:pypi/{normal}@{quote(version)}", normal, version, **more)


def normalized(name: str) -> str:
    """Normalise a package's name as package indexes do."""
    return re.sub(r"[-_.]+", "-", name).lower()


def sha256(digest: str) -> list[Json]:
    """The checksum of an entry."""
    return [{"alg": "SHA-256", "content": digest}]


def licences(distribution: Distribution) -> list[Json]:
    """Licences of a package: an expression, or names."""
    about = {key: distribution.metadata.get_all(key) or [] for key in LICENCE_FIELDS}
    if about["License-Expression"]:
        return [{"expression": about["License-Expression"][0]}]
    names = [
        text.rpartition(" :: ")[2] for text in about["Classifier"] if text.startswith("License ::")
    ]
    if not names:  # some packages have the whole text in this field
        names = [text for text in about["License"] if "\n" not in text]
    return [{"license": {"name": name}} for name in names]


def base_image(reference: str) -> Json:
    """An entry for a base image, by its digest."""
    name, _, digest = reference.partition("@sha256:")
    repository, _, tag = name.rpartition(":") if ":" in name.rpartition("/")[2] else (name, "", "")
    about = f"?repository_url={quote(repository, safe='/')}" + (f"&tag={tag}" if tag else "")
    version = f"sha256:{digest}" if digest else tag
    at = f"@{quote(version, safe='')}" if version else ""
    purl = f"pkg:oci/{repository.rpartition('/')[2]}{at}{about}"
    return component("container", purl, repository, version, hashes=digest and sha256(digest))


def system(text: str) -> Iterator[Json]:
    """An entry for the operating system, from its ``os-release``."""
    found = re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE)
    fields = {key: value.strip('"') for key, value in found}
    name, version = fields.get("ID", "linux"), fields.get("VERSION_ID", "")
    entry = component("operating-system", "", name, version)
    yield {**entry, "bom-ref": f"{name}@{version}"}


def debian(status: str) -> Iterator[Json]:
    """Entries for Debian's packages, from dpkg's status file."""
    for stanza in status.split("\n\n"):
        fields = dict(re.findall(r"^([\w-]+): (.*)$", stanza, re.MULTILINE))
        if fields.get("Status", "").endswith(" installed"):
            name, version = fields["Package"], fields["Version"]
            purl = f"pkg:deb/debian/{quote(name)}@{quote(version, safe='')}"
            yield component("library", f"{purl}?arch={fields['Architecture']}", name, version)


def python() -> Json:
    """An entry for the interpreter, which is not a Debian package in official images."""
    version = platform.python_version()
    return component("platform", f"pkg:generic/cpython@{version}", "cpython", version)


def packages(environment: Path, wheels: Mapping[str, str]) -> Iterator[Json]:
    """Entries for the installed packages, given their checksums by name."""
    folders = [str(folder) for folder in environment.glob("lib/python3.*/site-packages")]
    for found in distributions(path=folders):
        hashes = sha256(wheels[normalized(found.name)])
        yield package(found.name, found.version, hashes=hashes, licenses=licences(found))


def checksums(report: Json) -> Iterator[tuple[str, str]]:
    """Names and checksums of the wheels in one of pip's reports."""
    for item in report["install"]:
        hashes = item["download_info"]["archive_info"]["hashes"]
        yield normalized(item["metadata"]["name"]), hashes["sha256"]


def main(name: str, version: str, base: str, *reports: str) -> None:
    """Write the bill of the image that is being built."""
    wheels: dict[str, str] = {}
    for report in reports:
        wheels |= dict(checksums(json.loads(Path(report).read_text("utf-8"))))
    subject: Json = {"type": "container", "bom-ref": name, "name": name, "version": version}
    parts = [base_image(base), python(), *packages(ENVIRONMENT, wheels)]
    for path, read in ((SYSTEM, system), (INSTALLED, debian)):
        if path.exists():  # the base may not be Debian
            parts += read(path.read_text("utf-8"))
    licence = [{"license": {"id": "MIT"}}]
    text = json.dumps(bill({**subject, "licenses": licence}, parts), indent=1)
    Path(FILE).write_text(f"{text}\n", "utf-8")
    os.utime(FILE, (EPOCH, EPOCH))


if __name__ == "__main__":
    main(*sys.argv[1:])
