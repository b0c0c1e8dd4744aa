"""The image of the service: as a container with folders of its own, and as functions of Lambda."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import boto3
import httpx
import pytest

from tests.support.cloud import REGION, Bucket
from tests.support.container import Image, Mount
from tests.support.deployed import IMAGE
from tests.support.http_api import body_of, http_event, json_of
from tests.support.local_cloud import free_port
from tests.support.postgres import Postgres, postgres
from tests.support.running_service import finished_asset
from tests.support.runtime import Function
from tests.support.stack import USER, Running, start_container
from tests.system.test_image_contents import locked

pytest_plugins = ["tests.support.image_builds_fixtures"]
pytestmark = pytest.mark.slow

KEY = 32 * "k"
FOLDERS = ("processed_images", "service_data")


def folders_in(folder: Path) -> list[Mount]:
    """Volumes of a container, which belong to its user."""
    folder.chmod(0o755)
    for name in FOLDERS:
        (folder / name).mkdir(exist_ok=True)
        os.chown(folder / name, USER, USER)
    return [Mount(folder / name, f"/app/{name}", writable=True) for name in FOLDERS]


# What it is


def test_it_does_not_start_without_a_secret_key(service: Image) -> None:
    done = service.run()
    assert done.code == 2
    assert "SECRET_KEY is the default on HOST='0.0.0.0', which others can reach" in done.err
    assert "Traceback" not in done.err


def test_it_does_not_start_without_authentication(service: Image) -> None:
    done = service.run(SECRET_KEY=KEY, AUTHENTICATION="off")
    assert done.code == 2
    assert "AUTHENTICATION='off' on HOST='0.0.0.0', which others can reach" in done.err


def test_its_user_has_no_rights_but_on_its_folders(service: Image) -> None:
    code = """
import os
print(os.getuid())
for folder, folders, files in os.walk("/"):
    folders[:] = [name for name in folders if os.path.join(folder, name) not in ("/proc", "/sys")]
    for name in (".", *files):
        path = os.path.normpath(os.path.join(folder, name))
        if os.lstat(path).st_uid == os.getuid():
            print(path)
"""
    user, *owned = service.python(code)
    assert user == str(USER)
    own = [path for path in owned if not path.startswith("/dev/")]
    assert sorted(own) == ["/app", "/app/processed_images", "/app/service_data"]


def test_it_has_the_locked_packages_and_none_that_it_does_not_need(service: Image) -> None:
    code = (
        "import importlib.metadata as m;"
        "print(*{f'{d.name}=={d.version}' for d in m.distributions()})"
    )
    found = {line.lower().replace("_", "-") for line in service.python(code)[0].split()}
    expected = {
        f"{name}=={version}" for name, version in locked("service/requirements.txt").items()
    }
    assert expected - found == set()
    assert not {name for name in found if re.match(r"pyarrow|pytest|setuptools|pip==", name)}


def test_it_has_the_command_of_the_service(service: Image) -> None:
    assert service.run("--version").lines[0].startswith("fft-service ")
    assert service.run("--version", entry=["fft-service"]).lines[0].startswith("fft-service ")


# As a container


@pytest.fixture
def running(service: Image, tmp_path: Path) -> Iterator[Running]:
    """The service with SQLite and folders, its root read-only, as its own user."""
    variables = {"SECRET_KEY": KEY, "PORT": str(free_port()), "WORKERS": "1"}
    made = start_container(service, tmp_path / "log", folders_in(tmp_path), variables)
    try:
        made.wait_for(lambda: "serving at" in made.said)
        yield made
    finally:
        made.process.kill()
        made.process.wait()


def test_it_serves_and_does_jobs_and_stops_cleanly(
    running: Running, service: Image, tmp_path: Path
) -> None:
    (port,) = re.findall(r"serving at http://0\.0\.0\.0:(\d+)", running.said)
    key = service.run(
        *("keys", "make", "--tenant", "shop"), mounts=folders_in(tmp_path), SECRET_KEY=KEY
    )
    assert key.code == 0, key.err
    headers = {"Authorization": f"Bearer {key.lines[0]}"}
    url = f"http://127.0.0.1:{port}"
    with httpx.Client(base_url=url, headers=headers, timeout=60, trust_env=False) as client:
        assert client.get("/healthz").json() == {"status": "healthy"}
        assert client.get("/retrieve/asset/1", headers={"Authorization": ""}).status_code == 401
        answer = client.post(
            "/upload/", data={"tenant_name": "shop"}, files={"file": ("a.png", IMAGE)}
        )
        made = answer.raise_for_status().json()
        asset = finished_asset(client, made["asset_id"])
        assert asset["status"] == "done", running.said
        assert client.get(asset["artifacts"][0]["url"]).is_success
    assert running.stop() == 0, running.said
    assert {path.stat().st_uid for path in (tmp_path / "service_data").rglob("*")} == {USER}


# As functions


@pytest.fixture
def database() -> Iterator[Postgres]:
    with postgres() as server:
        yield server


def test_as_functions_it_answers_events_and_does_the_jobs(
    service: Image, database: Postgres, bucket: Bucket, s3_endpoint: str
) -> None:
    """With its secret settings from Secrets Manager, and nothing kept on its own disk."""
    service = replace(service, shared_memory=False)
    secrets = boto3.client("secretsmanager", endpoint_url=s3_endpoint, region_name=REGION)
    secret = json.dumps({"SECRET_KEY": KEY, "DATABASE_URL": database.url()})
    arn = secrets.create_secret(Name=f"service-{bucket.name}", SecretString=secret)["ARN"]
    given = {
        **{name: os.environ[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")},
        "AWS_ENDPOINT_URL": s3_endpoint,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "STORAGE_PATH": f"s3://{bucket.name}/service",
        "TEMPORARY_PATH": "/tmp/uploads",  # noqa: S108  (in the container)
        "PROCESSED_IMAGES": "/tmp/processed_images",  # noqa: S108  (as above)
        "WORKER": "none",
        "WORKERS": "1",
        "SERVICE_SECRET_ARN": arn,
    }
    made = service.run(
        *("keys", "make", "--tenant", "shop"),
        environ={**given, "SECRET_KEY": KEY, "DATABASE_URL": database.url()},
    )
    assert made.code == 0, made.err
    key = f"Bearer {made.lines[0]}"
    form = httpx.Request(
        "POST", "http://x", data={"tenant_name": "shop"}, files={"file": ("a.png", IMAGE)}
    )
    kind = form.headers["content-type"]

    def function(name: str) -> Function:
        words = service.words(
            f"service.lambda_entry.{name}",
            entry=["/usr/local/bin/lambda-entry"],
            variables=[*given, "AWS_LAMBDA_RUNTIME_API"],
        )
        return Function(
            f"service.lambda_entry.{name}",
            words=words,
            environ={**service.surroundings(), **given, "LAMBDA_TASK_ROOT": "/var/task"},
        )

    with function("handle") as api, function("work") as work:
        healthy = api.invoke(http_event("GET", "/healthz")).returned
        assert json_of(healthy) == {"status": "healthy"}
        event = http_event("POST", "/upload/", form.read(), content_type=kind, authorization=key)
        uploaded = json_of(api.invoke(event).returned)
        place = f"/retrieve/asset/{uploaded['asset_id']}"
        waiting = json_of(api.invoke(http_event("GET", place, authorization=key)).returned)
        assert waiting["status"] == "queued"
        assert work.invoke({"job_id": uploaded["job_id"]}).error is None
        done = json_of(api.invoke(http_event("GET", place, authorization=key)).returned)
        assert done["status"] == "done", work.written
        picture = api.invoke(http_event("GET", done["renditions"][0]["url"], authorization=key))
        assert body_of(picture.returned)[:2] in (b"\x89P", b"\xff\xd8")
        assert work.invoke({"sweep": True}).error is None
