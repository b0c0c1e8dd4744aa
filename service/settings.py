"""Settings of the service, read from the environment and validated together when it starts.

The table of variables is their only list: parsing, messages and documentation are based on it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from urllib.parse import urlsplit

from fft_tool.errors import SettingsError
from fft_tool.image.presets import Preset, parse_presets
from fft_tool.limits import FORMATS, MIB, Limits, parse_formats
from fft_tool.runs.machine import physical_memory, usable_cores
from fft_tool.stores.opening import BUCKET_NAME
from fft_tool.variables import Variable, read, whole

DEFAULT_KEY = "change-me"
SHORTEST_KEY = 32  # characters of a secret key on an address that others can reach
LARGEST_SIDE = 10_000  # pixels of a crop

Network = IPv4Network | IPv6Network


def _size(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text, re.ASCII)
    sides = (int(found[1]), int(found[2])) if found else (0, 0)
    if not all(1 <= side <= LARGEST_SIDE for side in sides):
        raise ValueError(f"should be WIDTHxHEIGHT, each of 1 to {LARGEST_SIDE:,} pixels")
    return sides


def _host(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9.:_-]{1,253}", text):
        raise ValueError("should be an address or a name of this machine: 127.0.0.1, 0.0.0.0")
    return text


def _folder(text: str) -> Path:
    if not text or not text.isprintable() or "://" in text:
        raise ValueError("should be a folder")
    return Path(text)


def _storage(text: str) -> str:
    scheme, separator, rest = text.partition("://")
    if separator and (scheme != "s3" or not BUCKET_NAME.fullmatch(rest.partition("/")[0])):
        raise ValueError("should be a folder or s3://BUCKET/PREFIX")
    return text if separator else str(_folder(text))


def _database(text: str) -> str:
    scheme = urlsplit(text).scheme.partition("+")[0]
    if scheme not in ("sqlite", "postgres", "postgresql"):
        raise ValueError("should be sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME")
    return text


def _redis(text: str) -> str | None:
    if text and urlsplit(text).scheme not in ("redis", "rediss", "unix"):
        raise ValueError("should be redis://HOST:PORT/NUMBER, rediss://… or unix://PATH")
    return text or None


def _endpoint(text: str) -> str | None:
    if text and (urlsplit(text).scheme not in ("http", "https") or not urlsplit(text).netloc):
        raise ValueError("should be a URL such as http://127.0.0.1:4566")
    return text or None


def _key(text: str) -> str:
    if not text.isprintable() or not text:
        raise ValueError("should be text of printable characters")
    return text


def _table(text: str) -> str | None:
    if text and not re.fullmatch(r"[A-Za-z0-9_.-]{3,255}", text):
        raise ValueError("should be the name of a DynamoDB table")
    return text or None


def _state_machine(text: str) -> str | None:
    if text and not re.fullmatch(r"arn:aws[a-z-]*:states:[a-z0-9-]+:\d{12}:stateMachine:\S+", text):
        raise ValueError("should be arn:aws:states:REGION:ACCOUNT:stateMachine:NAME")
    return text or None


def _bucket_folder(text: str) -> str | None:
    if text and not (text.startswith("s3://") and BUCKET_NAME.fullmatch(text.split("/")[2])):
        raise ValueError("should be s3://BUCKET/PREFIX")
    return text or None


def _networks(text: str) -> tuple[Network, ...]:
    try:
        return tuple(ip_network(word.strip()) for word in text.split(",") if word.strip())
    except ValueError as exc:
        raise ValueError("should be addresses or networks: 10.0.0.0/8, 127.0.0.1") from exc


def _names(text: str) -> frozenset[str]:
    names = [name.strip().lower() for name in text.split(",") if name.strip()]
    if not all(re.fullmatch(r"[a-z0-9.:_-]{1,253}", name) for name in names):
        raise ValueError("should be names without ports: fft.example.org, 10.0.0.7")
    return frozenset(names)


class _Choice:
    """Parser of one of several words."""

    def __init__(self, *words: str) -> None:
        self.words = words

    def __call__(self, text: str) -> str:
        if text not in self.words:
            raise ValueError(f"should be {' or '.join(self.words)}")
        return text


def _yes_or_no(text: str) -> bool:
    return _Choice("yes", "no")(text) == "yes"


def _share_of_memory(text: str) -> int | None:
    return whole(64, 1 << 20)(text) * MIB if text else None


def _cores(text: str) -> int:
    return whole(1, 256)(text) if text else usable_cores()


VARIABLES = (
    Variable("HOST", "host", "127.0.0.1", _host, "address to listen on"),
    Variable("PORT", "port", "10000", whole(0, 65_535), "port to listen on; 0: any that is free"),
    Variable(
        "SECRET_KEY",
        "secret_key",
        DEFAULT_KEY,
        _key,
        "secret with which the keys of tenants are hashed; changing it makes all keys invalid",
        secret=True,
    ),
    Variable(
        "AUTHENTICATION",
        "authentication",
        "off",
        _Choice("off", "keys"),
        "`keys`: requests need the key of a tenant or of an administrator; "
        "`off`: everybody is an administrator",
    ),
    Variable(
        "DATABASE_URL",
        "database_url",
        "sqlite:///service_data/service.db",
        _database,
        "database: `sqlite:///FILE` or `postgresql://USER:PASSWORD@HOST/NAME`",
        secret=True,
    ),
    Variable(
        "REDIS_URL",
        "redis_url",
        "",
        _redis,
        "Redis for the queue, `redis://HOST:PORT/NUMBER`; empty: an SQLite file",
        secret=True,
    ),
    Variable(
        "STORAGE_PATH",
        "storage_path",
        "service_data/storage",
        _storage,
        "images, renditions and artifacts: a folder or `s3://BUCKET/PREFIX`",
    ),
    Variable(
        "PROCESSED_IMAGES",
        "processed_images",
        "service_data/processed_images",
        _folder,
        "folder of the product crops",
    ),
    Variable(
        "DURABLE",
        "durable",
        "no",
        _yes_or_no,
        "`yes`: an upload into a folder is answered when it is on the disk and survives a loss of "
        "power; takes some 10 ms",
    ),
    Variable(
        "TEMPORARY_PATH",
        "temporary",
        "service_data/temporary",
        _folder,
        "folder of uploads while they arrive",
    ),
    Variable(
        "WORKER",
        "worker",
        "in-process",
        _Choice("in-process", "none"),
        "`in-process`: `serve` also does the jobs; `none`: `fft-service worker` does",
    ),
    Variable(
        "WORKERS",
        "workers",
        "",
        _cores,
        "images that are worked on at once, each in a process; empty: the number of cores",
    ),
    Variable(
        "PRESETS",
        "presets",
        "thumb=100x100 card=400x400 zoom=1200",
        parse_presets,
        "renditions of every image: `NAME=WIDTHxHEIGHT`, or `NAME=SIZE` for the longer side",
    ),
    Variable(
        "SAMPLES",
        "samples",
        "input_images",
        _folder,
        "folder of sample images that an empty gallery offers, if there is one",
    ),
    Variable("SMART_CROP", "smart_crop", "800x800", _size, "size of smart crops, `WIDTHxHEIGHT`"),
    Variable(
        "PURGE_DAYS",
        "purge_days",
        "30",
        whole(0, 36_500),
        "days without a request after which renditions and artifacts are purged",
    ),
    Variable(
        "MAX_UPLOAD_BYTES",
        "max_upload_bytes",
        str(64 * MIB),
        whole(1, 2048 * MIB),
        "bytes of the largest file accepted",
    ),
    Variable(
        "UPLOAD_SECONDS",
        "upload_seconds",
        "120",
        whole(1, 86_400),
        "seconds that an upload may take",
    ),
    Variable(
        "UPLOAD_IDLE_SECONDS",
        "upload_idle_seconds",
        "10",
        whole(1, 3600),
        "seconds that an upload may pause",
    ),
    Variable(
        "IMAGE_SECONDS",
        "image_seconds",
        "60",
        whole(1, 3600),
        "seconds that work on one image may take",
    ),
    Variable(
        "IMAGE_MEMORY",
        "image_memory",
        "",
        _share_of_memory,
        "MiB that work on one image may take; empty: half of the memory, divided by WORKERS",
    ),
    Variable(
        "MAX_PIXELS",
        "max_pixels",
        "100000000",
        whole(1, 10**10),
        "pixels of the largest image accepted",
    ),
    Variable(
        "FORMATS",
        "formats",
        ",".join(FORMATS),
        parse_formats,
        "accepted formats, detected by content, separated by commas",
    ),
    Variable(
        "RATE_LIMIT",
        "rate_limit",
        "20",
        whole(0, 1000),
        "product images that an address may send in RATE_SECONDS; 0: any number",
    ),
    Variable("RATE_SECONDS", "rate_seconds", "3600", whole(1, 86_400), "seconds of that limit"),
    Variable(
        "RATE_TABLE",
        "rate_table",
        "",
        _table,
        "DynamoDB table in which requests are counted; empty: in the memory of the process",
    ),
    Variable(
        "RATE_WITHOUT_TABLE",
        "rate_without_table",
        "open",
        _Choice("open", "closed"),
        "while DynamoDB is away, each process counts for itself (`open`), or refuses (`closed`)",
    ),
    Variable(
        "TRUSTED_PROXIES",
        "trusted_proxies",
        "",
        _networks,
        "addresses or networks of proxies whose X-Forwarded-For is believed, separated by commas",
    ),
    Variable(
        "ALLOWED_HOSTS",
        "allowed_hosts",
        "",
        _names,
        "names by which the service may be asked, separated by commas, beside those of loopback if "
        "it listens there; empty: on any other address, all",
    ),
    Variable(
        "BATCHES_DATABASE_URL",
        "batches_database_url",
        "",
        lambda text: _database(text) if text else None,
        "database with the rows of batches, which the page of batches shows",
        secret=True,
    ),
    Variable(
        "WORKFLOW_STATE_MACHINE",
        "workflow_state_machine",
        "",
        _state_machine,
        "ARN of the workflow's state machine, which then runs operations; empty: the worker does",
    ),
    Variable(
        "WORKFLOW_INPUT",
        "workflow_input",
        "",
        _bucket_folder,
        "where uploads start that state machine, `s3://BUCKET/workflow/`",
    ),
    Variable(
        "WORKFLOW_OUTPUT",
        "workflow_output",
        "",
        _bucket_folder,
        "where it leaves its results, `s3://BUCKET/output/workflow/`",
    ),
    Variable("AWS_REGION", "aws_region", "", lambda text: text or None, "region of AWS"),
    Variable(
        "AWS_ENDPOINT_URL",
        "aws_endpoint_url",
        "",
        _endpoint,
        "URL of another AWS, such as one on this machine",
    ),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of the service, in the units that :data:`VARIABLES` tells.

    >>> Settings.from_environ({"PORT": "8080"}).port
    8080
    """

    host: str
    port: int
    secret_key: str = field(repr=False)
    authentication: str
    database_url: str = field(repr=False)
    redis_url: str | None = field(repr=False)
    storage_path: str
    processed_images: Path
    durable: bool
    temporary: Path
    worker: str
    workers: int
    presets: tuple[Preset, ...]
    samples: Path
    smart_crop: tuple[int, int]
    purge_days: int
    max_upload_bytes: int
    upload_seconds: int
    upload_idle_seconds: int
    image_seconds: int
    image_memory: int | None
    max_pixels: int
    formats: tuple[str, ...]
    rate_limit: int
    rate_seconds: int
    rate_table: str | None
    rate_without_table: str
    trusted_proxies: tuple[Network, ...]
    allowed_hosts: frozenset[str]
    batches_database_url: str | None = field(repr=False)
    workflow_state_machine: str | None
    workflow_input: str | None
    workflow_output: str | None
    aws_region: str | None
    aws_endpoint_url: str | None

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings:
        """Read the settings; :class:`SettingsError` reports all faults at once.

        An empty variable counts as one that is not set.
        """
        given = {name: text for name, text in environ.items() if text}
        values, faults = read(VARIABLES, given)
        if values.get("host") and not is_loopback(values["host"]):
            faults += _exposed(values)
        faults += _incomplete(values)
        if faults:
            raise SettingsError(faults)
        return cls(**{each.name: values[each.name] for each in fields(cls)})

    @property
    def limits(self) -> Limits:
        """Limits on each image."""
        return Limits(
            max_bytes=self.max_upload_bytes,
            max_pixels=self.max_pixels,
            max_memory=self.memory_of_an_image,
            formats=self.formats,
        )

    @property
    def memory_of_an_image(self) -> int:
        """Bytes that a process may use that works on an image."""
        return self.image_memory or physical_memory() // (2 * self.workers)


def is_loopback(host: str) -> bool:
    """Whether only programs on this machine can reach an address.

    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _exposed(values: Mapping[str, object]) -> list[str]:
    """What others must not be able to reach: a service without authentication or secret."""
    where = f"on HOST={str(values['host'])!r}, which others can reach"
    faults = []
    key = values.get("secret_key", "")
    if key == DEFAULT_KEY:
        faults.append(f"SECRET_KEY is the default {where}: should be a secret of your own")
    elif key and len(str(key)) < SHORTEST_KEY:
        faults.append(f"SECRET_KEY is too short {where}: should have {SHORTEST_KEY} characters")
    if values.get("authentication") == "off":
        faults.append(f"AUTHENTICATION='off' {where}: should be keys")
    return faults


def _incomplete(values: Mapping[str, object]) -> list[str]:
    """What is missing of settings that belong together; of a malformed one, nothing is known."""
    together = ("workflow_state_machine", "workflow_input", "workflow_output")
    there = [name.upper() for name in together if values.get(name)]
    if not there:
        return []
    rule = f"should be set, as {' and '.join(there)} {'is' if len(there) == 1 else 'are'}"
    missing = [name.upper() for name in together if name in values and values[name] is None]
    return [f"{name} is missing: {rule}" for name in missing]
