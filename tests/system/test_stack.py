"""docker/compose.yaml: what it says, and the stack that it describes, run without Docker."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.container import Image
from tests.support.deployed import IMAGE
from tests.support.local_cloud import free_port
from tests.support.postgres import Postgres, postgres
from tests.support.running_service import finished_asset
from tests.support.stack import COMPOSE, MissingVariable, Stack, read_compose

pytest_plugins = ["tests.support.image_builds_fixtures"]

REQUIRED = {"SECRET_KEY": 32 * "k", "POSTGRES_PASSWORD": "of: the/tests@"}
Json = dict[str, Any]
SERVICES = read_compose(REQUIRED)["services"]
OURS = {name for name, service in SERVICES.items() if "build" in service}

# The file


def test_it_describes_the_whole_stack() -> None:
    assert set(SERVICES) == {"service", "worker", "postgres", "redis", "local-aws"}


@pytest.mark.parametrize("name", REQUIRED)
def test_without_a_required_variable_the_message_says_what_to_do(name: str) -> None:
    given = {key: value for key, value in REQUIRED.items() if key != name}
    with pytest.raises(MissingVariable, match=rf"^{name} is not set.*docker/\.env.*serve-stack"):
        read_compose(given)


def test_it_holds_no_secrets() -> None:
    """The keys of the local AWS are none: it accepts any."""
    for line in COMPOSE.read_text("utf-8").splitlines():
        found = re.fullmatch(r"\s*(\w*(?:PASSWORD|SECRET|KEY)\w*): (.+)", line)
        if found:
            assert re.match(r"\$\{\w+:\?|local$", found[2]), line


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_confined(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["init"] is True
    assert all(service[limit] for limit in ("mem_limit", "cpus", "pids_limit"))
    assert "user" in service or name in OURS, "a user other than root"
    assert not service.get("user", "1").startswith("0")
    assert service["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", sorted(set(SERVICES) - OURS))
def test_images_from_a_registry_are_pinned(name: str) -> None:
    assert re.fullmatch(r"docker\.io/[\w/]+:[\w.-]+@sha256:[0-9a-f]{64}", SERVICES[name]["image"])


def test_only_the_service_can_be_reached_and_only_from_this_machine() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {"service": ["127.0.0.1:10000:10000"]}
    assert read_compose(REQUIRED)["networks"]["inside"] == {"internal": True}
    outside = {name for name, service in SERVICES.items() if "outside" in service["networks"]}
    assert outside == {"service"}
    elsewhere = read_compose({**REQUIRED, "ADDRESS": "0.0.0.0", "PORT": "80"})  # noqa: S104  (for a test)
    assert elsewhere["services"]["service"]["ports"] == ["0.0.0.0:80:10000"]


def test_everything_that_is_kept_is_in_a_volume() -> None:
    used = {
        volume.partition(":")[0] for service in SERVICES.values() for volume in service["volumes"]
    }
    assert used == set(read_compose(REQUIRED)["volumes"])


def test_every_service_has_a_health_check_or_a_reason(repository: Path) -> None:
    without = {
        name
        for name, service in SERVICES.items()
        if service.get("healthcheck", {"disable": True}) == {"disable": True}
    }
    assert without == {"service", "worker"}
    dockerfile = (repository / "docker/Dockerfile").read_text("utf-8")
    assert "HEALTHCHECK" in dockerfile.partition("AS service\n")[2].partition("\nFROM")[0]


def test_it_conforms_to_the_specification_of_compose(tmp_path: Path) -> None:
    path = tmp_path / "compose.json"
    path.write_text(json.dumps(read_compose(REQUIRED)))
    words = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run([*words, path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


# The stack


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """PostgreSQL, with the user and the database that the image would make."""
    given = SERVICES["postgres"]["environment"]
    user, name, password = (given[f"POSTGRES_{part}"] for part in ("USER", "DB", "PASSWORD"))
    with postgres() as server:
        server.query(f"CREATE ROLE {user} LOGIN PASSWORD '{password}'")
        server.query(f"CREATE DATABASE {name} OWNER {user}")
        yield server


@pytest.fixture(scope="module")
def stack(
    server: Postgres,
    service: Image,
    local_aws: Image,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    """The stack, running."""
    images = {"service": service, "worker": service, "local-aws": local_aws}
    made = Stack(read_compose(REQUIRED), tmp_path_factory.mktemp("stack"), images)
    made.folder.chmod(0o755)
    made.hosts = {"postgres:5432": f"127.0.0.1:{server.port}"}
    try:
        start(made)
        yield made
    finally:
        with contextlib.suppress(subprocess.TimeoutExpired):
            made.stop()


def start(stack: Stack) -> None:
    """Start everything in the order that the file says."""
    start_redis(stack)
    port = free_port()
    stack.hosts["local-aws:4566"] = f"127.0.0.1:{port}"
    environment = stack.compose["services"]["local-aws"]["environment"]
    environment |= {"GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1"}
    aws = stack.start("local-aws")
    aws.wait_for(lambda: stack.is_healthy("local-aws"))
    environment = stack.compose["services"]["service"]["environment"]
    environment["PORT"] = str(free_port())
    served = stack.start("service")
    stack.start("worker")
    served.wait_for(lambda: answers(f"{url_of(stack)}/readyz"))


def answers(url: str) -> bool:
    """Whether a server answers, and with success."""
    try:
        return httpx.get(url, trust_env=False).is_success
    except httpx.TransportError:
        return False


def start_redis(stack: Stack) -> None:
    """The Redis of this machine, with the command of the file and its volume."""
    if not shutil.which("redis-server"):
        pytest.skip("Redis is not installed: apt-get install redis-server")
    port = free_port()
    data = stack.folder / "redis_data"
    data.mkdir(exist_ok=True)
    words = [str(data) if word == "/data" else word for word in SERVICES["redis"]["command"]]
    words += ["--bind", "127.0.0.1", "--port", str(port)]
    stack.hosts["redis:6379"] = f"127.0.0.1:{port}"
    redis = stack.launch("redis", words, {"PATH": "/usr/bin:/bin"})
    redis.wait_for(lambda: "Ready to accept connections" in redis.said)


def url_of(stack: Stack) -> str:
    return f"http://127.0.0.1:{stack.environment('service')['PORT']}"


@pytest.fixture(scope="module")
def key(stack: Stack) -> str:
    """The key of an administrator."""
    return stack.run("service", "keys", "make", "--administrator").split()[-1]


def client_of(stack: Stack, key: str) -> httpx.Client:
    """A client of the stack as it runs now."""
    headers = {"Authorization": f"Bearer {key}"}
    return httpx.Client(base_url=url_of(stack), headers=headers, timeout=60, trust_env=False)


def upload(client: httpx.Client) -> Json:
    answer = client.post("/upload/", data={"tenant_name": "shop"}, files={"file": ("a.png", IMAGE)})
    made: Json = answer.raise_for_status().json()
    return made


@pytest.mark.slow
def test_its_health_checks_succeed(stack: Stack) -> None:
    assert answers(f"{url_of(stack)}/healthz")
    assert stack.is_healthy("local-aws")
    health = stack.images["service"].config.get("Healthcheck")
    if health:  # images in the format of OCI have none
        kind, *words = health["Test"]
        assert kind == "CMD"
        done = stack.images["service"].run(
            *words[1:], entry=words[:1], environ=stack.environment("service")
        )
        assert done.code == 0, done.err


@pytest.mark.slow
def test_it_uses_what_the_file_names(stack: Stack, server: Postgres) -> None:
    """PostgreSQL, Redis and S3, without falling back to anything."""
    for name in ("service", "worker"):
        said = stack.running[name].said
        assert "Redis does not answer" not in said
        assert "Redis" in said
    assert "storage s3://service-images" in stack.running["service"].said
    url = server.url().removesuffix("stats") + "service"
    tables = subprocess.check_output(["psql", "-X", "-A", "-t", url, "-c", r"\dt"], text=True)
    assert "assets" in tables


@pytest.mark.slow
def test_an_upload_is_done_by_the_worker_and_survives_a_restart(stack: Stack, key: str) -> None:
    with client_of(stack, key) as client:
        made = upload(client)
        before = finished_asset(client, made["asset_id"])
        assert before["status"] == "done", stack.running["worker"].said
        assert {each["preset"] for each in before["renditions"]} == {"thumb", "card", "zoom"}
        picture = client.get(before["renditions"][0]["url"]).raise_for_status().content
    codes = stack.stop()
    assert codes == dict.fromkeys(codes, 0), "each ends cleanly when it is asked to"
    start(stack)
    with client_of(stack, key) as client:
        after = finished_asset(client, made["asset_id"])
        assert after["content_hash"] == made["content_hash"]
        assert after["renditions"] == before["renditions"]
        assert client.get(after["renditions"][0]["url"]).raise_for_status().content == picture
        assert upload(client)["asset_id"] == made["asset_id"]


@pytest.mark.slow
def test_product_images_are_in_their_volume(stack: Stack, key: str) -> None:
    box = json.dumps({"x": 0, "y": 0, "width": 4, "height": 4})
    fields = {"product_info": json.dumps({"product_id": "ABC-123"}), "crop_box": box}
    with client_of(stack, key) as client:
        made = client.post(
            "/images/manual-crop", data=fields, files={"source_image": ("a.png", IMAGE)}
        )
        address = made.raise_for_status().json()["retrieval_url"]
        picture = client.get(address).raise_for_status().content
    kept = [path for path in (stack.folder / "processed_images").rglob("*") if path.is_file()]
    assert picture in [path.read_bytes() for path in kept]
