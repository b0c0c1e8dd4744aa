"""Settings of the functions for batches, in addition to those of every function."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from fft_tool.batches.shape import JobShape
from fft_tool.errors import BadJob, RecipeError, SettingsError
from fft_tool.recipe import Recipe
from fft_tool.variables import Variable, read, whole
from handler.settings import Settings, folder

RESULTS = "batches/"  # folder of the results of jobs, below the folder of all results
PREFIX = "FFT_BATCHES"  # of the names of these settings


def _recipe(text: str) -> Recipe:
    try:
        return Recipe.parse({"threshold": text})
    except RecipeError as exc:
        raise ValueError(str(exc)) from exc


def _hours(text: str) -> float:
    if not re.fullmatch(r"\d{1,4}(\.\d{1,6})?", text, re.ASCII):
        raise ValueError("should be a number of hours such as 24 or 0.5")
    return float(text)


def _state_machine(text: str) -> str:
    return _arn(text, "states", "stateMachine")


def _secret(text: str) -> str:
    return _arn(text, "secretsmanager", "secret")


def _arn(text: str, service: str, kind: str) -> str:
    form = rf"arn:aws[a-z-]*:{service}:[a-z0-9-]+:\d{{12}}:{kind}:[\w/+=.@!-]{{1,512}}"
    if text and not re.fullmatch(form, text, re.ASCII):
        raise ValueError(f"should be an ARN such as arn:aws:{service}:REGION:ACCOUNT:{kind}:NAME")
    return text


def _database(text: str) -> str:
    try:
        scheme = urlsplit(text).scheme.partition("+")[0]
    except ValueError:
        scheme = ""
    if text and scheme not in ("postgresql", "sqlite"):
        raise ValueError(
            "should be a URL such as postgresql+psycopg://host/database or sqlite:///…"
        )
    return text


VARIABLES = (
    Variable("FFT_BATCHES_PREFIX", "prefix", "batches/", folder, "folder of the jobs"),
    Variable("FFT_BATCHES", "batches", "5", whole(1, 10_000), "batches of a job"),
    Variable("FFT_BATCHES_IMAGES", "images", "20", whole(1, 1_000_000), "images of a batch"),
    Variable(
        "FFT_BATCHES_THRESHOLD",
        "recipe",
        "mid",
        _recipe,
        "largest grey value that counts as black: mid, otsu or a number",
    ),
    Variable("FFT_BATCHES_PART", "part", "20", whole(1, 200), "images that one invocation counts"),
    Variable(
        "FFT_BATCHES_INLINE_IMAGES",
        "inline_images",
        "2000",
        whole(0, 400_000),
        "images of a job above which they are counted by a Distributed Map",
    ),
    Variable(
        "FFT_BATCHES_WAITING_HOURS",
        "waiting_hours",
        "24",
        _hours,
        "hours for which a job may stay incomplete before there is an alarm",
    ),
    Variable(
        "BATCHES_STATE_MACHINE",
        "state_machine",
        "",
        _state_machine,
        "ARN of the state machine, which the sweep starts",
    ),
    Variable(
        "DATABASE_URL",
        "database_url",
        "",
        _database,
        "database for the rows; empty: only files are written",
        secret=True,
    ),
    Variable(
        "DATABASE_SECRET_ARN",
        "database_secret",
        "",
        _secret,
        "secret in Secrets Manager with the database's username and password",
    ),
    Variable(
        "DATABASE_CA_SECRET_ARN",
        "database_ca_secret",
        "",
        _secret,
        "secret with the certificates that the database is verified against, as PEM text",
    ),
)


@dataclass(frozen=True, slots=True)
class BatchesSettings:
    """Settings of the functions for batches; ``common`` are those of every function."""

    common: Settings
    prefix: str
    batches: int
    images: int
    recipe: Recipe
    part: int
    inline_images: int
    waiting_hours: float
    state_machine: str
    database_url: str
    database_secret: str
    database_ca_secret: str

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> BatchesSettings:
        """Read the settings; :class:`SettingsError` reports all faults at once."""
        values, wrong = read(VARIABLES, environ)
        faults = [*_unknown(environ), *wrong]
        try:
            values["common"] = Settings.from_environ(environ)
        except SettingsError as exc:
            faults = [*exc.faults, *faults]
        faults += _overlaps(values)
        if not faults:
            faults += _of_shape(values)
        if faults:
            raise SettingsError(faults)
        return cls(**values)

    @property
    def shape(self) -> JobShape:
        """What a job should have, unless its ``job.json`` says otherwise."""
        return JobShape(self.batches, self.images, self.recipe)

    @property
    def results(self) -> str:
        """Folder of the results of all jobs."""
        return self.common.output_prefix + RESULTS


def _unknown(environ: Mapping[str, str]) -> list[str]:
    known = {variable.name for variable in VARIABLES}
    return [
        f"{name}={environ[name]!r}: unknown setting; known: {', '.join(sorted(known))}"
        for name in sorted(environ)
        if name.startswith(PREFIX) and name not in known
    ]


def _overlaps(values: Mapping[str, Any]) -> list[str]:
    """Report folders that overlap with that of the jobs, whose images would be used twice."""
    if "common" not in values or "prefix" not in values:
        return []
    common, prefix = values["common"], values["prefix"]
    return [
        f"FFT_BATCHES_PREFIX={prefix!r} and FFT_{name.upper()}={other!r} overlap: "
        "should be two separate folders"
        for name in ("input_prefix", "output_prefix", "workflow_prefix")
        if prefix.startswith(other := getattr(common, name)) or other.startswith(prefix)
    ]


def _of_shape(values: Mapping[str, Any]) -> list[str]:
    try:
        JobShape(values["batches"], values["images"], values["recipe"])
    except BadJob as exc:
        return [f"FFT_BATCHES, FFT_BATCHES_IMAGES: {fault}" for fault in exc.faults]
    return []
