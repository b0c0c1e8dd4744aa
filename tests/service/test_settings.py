"""Settings: defaults, faults and how they are told, and what is refused on an open address."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fft_tool.errors import SettingsError
from fft_tool.image.presets import Preset
from fft_tool.limits import MIB
from service.settings import DEFAULT_KEY, SHORTEST_KEY, VARIABLES, Settings, is_loopback

KEY = "k" * SHORTEST_KEY
NAMES = [variable.name for variable in VARIABLES]


def made(**variables: str) -> Settings:
    return Settings.from_environ(variables)


def faults(**variables: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        Settings.from_environ(variables)
    assert str(caught.value) == "; ".join(caught.value.faults)
    return caught.value.faults


def test_a_fresh_machine_needs_no_settings() -> None:
    settings = made()
    assert (settings.host, settings.port) == ("127.0.0.1", 10_000)
    assert settings.database_url == "sqlite:///service_data/service.db"
    assert settings.redis_url is None
    assert settings.presets == (
        Preset("thumb", 100, 100),
        Preset("card", 400, 400),
        Preset("zoom", 1200, 1200),
    )
    assert settings.max_upload_bytes == 64 * MIB
    assert settings.trusted_proxies == ()
    assert settings.authentication == "off"


def test_the_defaults_are_those_of_the_table() -> None:
    assert made(**{variable.name: variable.default for variable in VARIABLES}) == made()


def test_an_empty_variable_is_one_that_is_not_set() -> None:
    assert made(**dict.fromkeys(NAMES, "")) == made()


def test_other_variables_are_ignored() -> None:
    assert made(PATH="/bin", DATABASE="?", FFT_RECIPE="?") == made()


def test_every_variable_has_a_field_and_a_help_text() -> None:
    assert {variable.field for variable in VARIABLES} == set(Settings.__dataclass_fields__)
    assert all(variable.help for variable in VARIABLES)


def test_all_faults_are_told_together() -> None:
    told = faults(PORT="http", WORKERS="0", PRESETS="small", RATE_WITHOUT_TABLE="maybe")
    assert [fault.partition("=")[0] for fault in told] == [
        *("PORT", "WORKERS", "PRESETS", "RATE_WITHOUT_TABLE")
    ]


@pytest.mark.parametrize(
    ("name", "text", "form"),
    [
        ("HOST", "http://x/", "should be an address or a name"),
        ("PORT", "65536", "from 0 to 65,535"),
        ("SECRET_KEY", "a\nb", "printable"),
        ("AUTHENTICATION", "yes", "should be off or keys"),
        ("DATABASE_URL", "mysql://h/d", "sqlite:///FILE or postgresql://"),
        ("REDIS_URL", "localhost", "redis://HOST:PORT/NUMBER"),
        ("STORAGE_PATH", "gs://bucket", "a folder or s3://BUCKET/PREFIX"),
        ("PROCESSED_IMAGES", "s3://bucket", "should be a folder"),
        ("TEMPORARY_PATH", "a\0b", "should be a folder"),
        ("WORKER", "thread", "should be in-process or none"),
        ("WORKERS", "two", "from 1 to 256"),
        ("PRESETS", "thumb", "thumb=100x100"),
        ("SMART_CROP", "800", "WIDTHxHEIGHT"),
        ("SMART_CROP", "0x5", "WIDTHxHEIGHT"),
        ("PURGE_DAYS", "-1", "whole number"),
        ("MAX_UPLOAD_BYTES", "64M", "whole number"),
        ("UPLOAD_SECONDS", "0", "whole number"),
        ("UPLOAD_IDLE_SECONDS", "0", "whole number"),
        ("IMAGE_SECONDS", "0", "whole number"),
        ("IMAGE_MEMORY", "1", "whole number"),
        ("MAX_PIXELS", "0", "whole number"),
        ("FORMATS", "png,exe", "one or more of"),
        ("RATE_LIMIT", "x", "whole number"),
        ("RATE_SECONDS", "0", "whole number"),
        ("RATE_TABLE", "a b", "DynamoDB table"),
        ("RATE_WITHOUT_TABLE", "half", "should be open or closed"),
        ("TRUSTED_PROXIES", "proxy.example", "10.0.0.0/8"),
        ("AWS_ENDPOINT_URL", "localhost:4566", "http://127.0.0.1:4566"),
        ("WORKFLOW_STATE_MACHINE", "workflow", "arn:aws:states:REGION:ACCOUNT:stateMachine:NAME"),
        ("WORKFLOW_INPUT", "bucket/workflow/", "s3://BUCKET/PREFIX"),
        ("WORKFLOW_OUTPUT", "s3://", "s3://BUCKET/PREFIX"),
    ],
)
def test_a_fault_names_its_variable_and_the_form_that_it_must_have(
    name: str, text: str, form: str
) -> None:
    (told,) = faults(**{name: text})
    assert told.startswith(f"{name}=")
    assert form in told


def test_a_state_machine_needs_both_of_its_places() -> None:
    arn = "arn:aws:states:eu-central-1:123456789012:stateMachine:workflow"
    places = {"WORKFLOW_INPUT": "s3://bucket/workflow/", "WORKFLOW_OUTPUT": "s3://bucket/out/"}
    assert made(WORKFLOW_STATE_MACHINE=arn, **places).workflow_input == "s3://bucket/workflow/"
    (told,) = faults(WORKFLOW_STATE_MACHINE=arn, WORKFLOW_INPUT=places["WORKFLOW_INPUT"])
    assert told.startswith("WORKFLOW_OUTPUT is missing: should be set, as WORKFLOW_STATE_MACHINE")


def test_messages_and_representations_hold_no_secrets() -> None:
    told = faults(
        DATABASE_URL="mysql://me:hunter2@h/d",
        REDIS_URL="hunter2",
        SECRET_KEY="hunter2\n",  # noqa: S106  (of this test)
    )
    assert len(told) == 3
    assert "hunter2" not in "".join(told)
    settings = made(
        DATABASE_URL="postgresql://me:hunter2@h/d",
        REDIS_URL="redis://:hunter2@h",
        SECRET_KEY="hunter2",  # noqa: S106  (of this test)
    )
    assert "hunter2" not in repr(settings)


# Addresses that others can reach


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_on_loopback_nothing_is_required(host: str) -> None:
    assert is_loopback(host)
    assert made(HOST=host).host == host


@pytest.mark.parametrize(
    "host",
    ["0.0.0.0", "::", "192.0.2.1", "service.example", "localhost.example"],  # noqa: S104  (refused)
)
def test_an_address_that_others_can_reach_needs_a_secret_and_authentication(host: str) -> None:
    secret, authentication = faults(HOST=host)
    assert "SECRET_KEY is the default" in secret
    assert "AUTHENTICATION='off'" in authentication
    assert host in secret
    assert made(HOST=host, SECRET_KEY=KEY, AUTHENTICATION="keys").host == host


def test_each_of_the_two_is_refused_by_itself() -> None:
    (told,) = faults(HOST="0.0.0.0", SECRET_KEY=KEY)  # noqa: S104
    assert told.startswith("AUTHENTICATION='off'")
    (told,) = faults(HOST="0.0.0.0", AUTHENTICATION="keys", SECRET_KEY=DEFAULT_KEY)  # noqa: S104
    assert told.startswith("SECRET_KEY is the default")
    (told,) = faults(HOST="0.0.0.0", AUTHENTICATION="keys", SECRET_KEY=KEY[1:])  # noqa: S104
    assert told.startswith("SECRET_KEY is too short")
    assert KEY[1:] not in told


# Limits


def test_a_share_of_the_memory_is_for_each_image() -> None:
    assert made(IMAGE_MEMORY="300").limits.max_memory == 300 * MIB
    one, two = made(WORKERS="1").memory_of_an_image, made(WORKERS="2").memory_of_an_image
    assert one // 2 == two


def test_the_limits_are_those_of_the_core() -> None:
    limits = made(MAX_PIXELS="1000", MAX_UPLOAD_BYTES="2000", FORMATS="png").limits
    assert (limits.max_pixels, limits.max_bytes, limits.formats) == (1000, 2000, ("png",))


# Documentation


def test_the_page_lists_every_variable_with_its_default(repository: Path) -> None:
    page = (repository / "docs/service.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| `?([^|`]*?)`? \|", page, re.MULTILINE))
    assert rows == {variable.name: variable.default for variable in VARIABLES}


def test_the_example_of_an_environment_names_every_variable(repository: Path) -> None:
    text = (repository / ".env.example").read_text("utf-8")
    named = dict(re.findall(r"^# ?([A-Z_]+)=(.*)$", text, re.MULTILINE))
    assert named == {variable.name: variable.default for variable in VARIABLES}
