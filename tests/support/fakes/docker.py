"""A Docker that notes what it is told; what it pushes is an image of nothing."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any


def main(*words: str) -> int:
    """Do a command."""
    with (Path(os.environ["FAKES"]) / "calls").open("a") as calls:
        calls.write(" ".join(["docker", *words]) + "\n")
    if words[0] == "login":
        assert sys.stdin.read(), "a password"
    elif words[0] == "push":
        push(words[-1])
    elif words[:2] == ("image", "inspect"):
        sys.stdout.write(json.dumps([f"{words[-1].rpartition(':')[0]}@{digest(words[-1])}"]))
    return int(os.environ.get("FAILING", "") == words[0])


def push(name: str) -> None:
    """Put an image into the registry."""
    config = hashlib.sha256(name.encode()).hexdigest()
    kind = "application/vnd.docker"
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{kind}.distribution.manifest.v2+json",
        "config": {
            "mediaType": f"{kind}.container.image.v1+json",
            "size": 2,
            "digest": f"sha256:{config}",
        },
        "layers": [],
    }
    ecr().put_image(**where(name), imageManifest=json.dumps(manifest))


def digest(name: str) -> str:
    """Digest that the registry has given it."""
    place = where(name)
    (found,) = ecr().describe_images(
        repositoryName=place["repositoryName"], imageIds=[{"imageTag": place["imageTag"]}]
    )["imageDetails"]
    given: str = found["imageDigest"]
    return given


def where(name: str) -> dict[str, str]:
    """Repository and tag in an image's name."""
    path, _, tag = name.partition("/")[2].rpartition(":")
    return {"repositoryName": path, "imageTag": tag}


def ecr() -> Any:
    """Client of the registry."""
    import boto3  # noqa: PLC0415  (takes half a second, and most calls do without)

    return boto3.client("ecr", region_name=os.environ["AWS_REGION"])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
