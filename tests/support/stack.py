"""docker/compose.yaml without Docker: its services as processes of this machine.

Images that the project builds are run as they are; the PostgreSQL and the Redis of this machine
take the place of the images from a registry. Every service has the command, the environment and
the volumes that the file gives it; only names of hosts and ports become free ports on loopback.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.support.container import Image, Mount

COMPOSE = Path(__file__).resolve().parents[2] / "docker" / "compose.yaml"
SECONDS = 60  # after which a service is stuck
USER = 65532  # of the images

VARIABLE = re.compile(r"\$\{(?P<name>[A-Z_]+)(?:(?P<how>:[-?])(?P<rest>[^}]*))?\}")

Json = dict[str, Any]


class MissingVariable(Exception):
    """A variable that the file needs is not set; the message is the file's own."""


def read_compose(variables: Mapping[str, str]) -> Json:
    """The compose file, with variables filled in as Compose does, once it is parsed."""

    def filled(match: re.Match[str]) -> str:
        value = variables.get(match["name"], "")
        if not value and match["how"] == ":?":
            raise MissingVariable(f"{match['name']} {match['rest']}")
        return value or (match["rest"] if match["how"] == ":-" else "")

    def resolved(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: resolved(each) for key, each in value.items()}
        if isinstance(value, list):
            return [resolved(each) for each in value]
        return VARIABLE.sub(filled, value) if isinstance(value, str) else value

    found: Json = resolved(yaml.safe_load(COMPOSE.read_text("utf-8")))
    return found


@dataclass
class Running:
    """A process of a service, with what it says in a file."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def said(self) -> str:
        """What it has said so far."""
        return self.log.read_text(errors="replace")

    def stop(self) -> int:
        """Ask it to stop as Docker does; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def wait_for(self, holds: Callable[[], object]) -> None:
        """Wait until something holds while the process runs."""
        deadline = time.monotonic() + SECONDS
        while not holds():
            assert self.process.poll() is None, f"{self.name} has ended:\n{self.said}"
            assert time.monotonic() < deadline, f"{self.name} hangs:\n{self.said}"
            time.sleep(0.05)


@dataclass
class Stack:
    """Services of the compose file that run here, with their volumes below a folder."""

    compose: Json
    folder: Path
    images: Mapping[str, Image]  # by name of the service
    hosts: dict[str, str] = field(default_factory=dict)  # "redis:6379" → "127.0.0.1:40123"
    running: dict[str, Running] = field(default_factory=dict)

    def environment(self, name: str) -> dict[str, Any]:
        """Variables of a service, with names of hosts as they are here."""
        given = self.compose["services"][name].get("environment", {})
        made = {key: str(value) for key, value in given.items()}
        for there, here in self.hosts.items():
            made = {key: value.replace(there, here) for key, value in made.items()}
        return made

    def mounts(self, name: str) -> list[Mount]:
        """Volumes and temporary file systems of a service, as folders that its user owns."""
        made = []
        for volume in self.compose["services"][name]["volumes"]:
            source, target = volume.split(":")
            path = self.folder / source
            if not path.exists():
                path.mkdir(parents=True)
                os.chown(path, USER, USER)
            made.append(Mount(path, target, writable=True))
        return made

    def start(self, name: str) -> Running:
        """Start a service from its image, with the command of the file."""
        words = self.compose["services"][name].get("command", [])
        self.running[name] = start_container(
            self.images[name],
            self.folder / f"{name}.log",
            self.mounts(name),
            self.environment(name),
            *words,
        )
        return self.running[name]

    def launch(self, name: str, command: list[str], variables: Mapping[str, str]) -> Running:
        """Start a program of this machine as a service."""
        self.running[name] = start_program(command, self.folder / f"{name}.log", variables)
        return self.running[name]

    def run(self, name: str, *words: str) -> str:
        """Run a command in the image of a service, as ``docker compose run`` does; its output."""
        done = self.images[name].run(
            *words, mounts=self.mounts(name), environ=self.environment(name)
        )
        assert done.code == 0, done.err
        return done.out.decode()

    def is_healthy(self, name: str) -> bool:
        """Whether the health check of a service in the file succeeds."""
        kind, *words = self.compose["services"][name]["healthcheck"]["test"]
        assert kind == "CMD"
        done = self.images[name].run(
            *words[1:], entry=words[:1], mounts=self.mounts(name), environ=self.environment(name)
        )
        return done.code == 0

    def stop(self) -> dict[str, int]:
        """Stop all services, the last one first; their exit codes."""
        names = list(reversed(self.running))
        return {name: self.running.pop(name).stop() for name in names}


def start_container(
    image: Image, log: Path, mounts: Sequence[Mount], variables: Mapping[str, str], *words: str
) -> Running:
    """Start a container from an image, with its own command unless ``words`` are given."""
    command = image.words(*words, mounts=mounts, variables=variables)
    return start_program(command, log, {**image.surroundings(), **variables})


def start_program(command: list[str], log: Path, variables: Mapping[str, str]) -> Running:
    """Start a program that writes to a log."""
    with log.open("ab") as out:
        process = subprocess.Popen(
            command, env=dict(variables), stdin=subprocess.DEVNULL, stdout=out, stderr=out
        )
    return Running(log.stem, process, log)
