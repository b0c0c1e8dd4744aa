"""A container image as tests meet it: looked at, and run with a root that nobody can write to.

Docker and Podman run it as they run any container. Buildah only builds, so what it has built is
started by ``container_root.sh``: in a mount namespace of its own, its root a read-only mount, as
the image's user. That has no part in limits, other namespaces and system calls that are refused.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.support.command import Finished

ROOT = Path(__file__).resolve().parents[2]
ENTER = Path(__file__).with_name("container_root.sh")
NOTHING: Mapping[str, str] = {}
SECONDS = 600  # after which a build is stuck


@dataclass(frozen=True)
class Mount:
    """A file or folder of this machine that the container sees, under a name of its own."""

    source: Path
    target: str
    writable: bool = False

    def __str__(self) -> str:
        return f"{self.source}:{self.target}" + ("" if self.writable else ":ro")


@dataclass(frozen=True)
class Image:
    """An image that has been built, by the name of its builder and its own."""

    builder: str
    tag: str
    variables: Mapping[str, str] = field(repr=False)  # with which the builder is called
    root: Path | None = None  # its files, where Buildah has mounted them
    shared_memory: bool = False  # is there, unlike in Lambda

    @cached_property
    def config(self) -> dict[str, Any]:
        """How it is to be run: ``User``, ``Env``, ``Entrypoint``, ``Cmd``, ``Labels`` …"""
        kind = ["--type", "image"] if self.builder != "docker" else []
        image = json.loads(self._ask("inspect", *kind, self.tag))
        config: dict[str, Any] = (
            image["Docker"]["config"] if "Docker" in image else image[0]["Config"]
        )
        return config

    def surroundings(self) -> dict[str, str]:
        """Variables for the command that starts it: the engine's, which it keeps to itself, or
        those that the image sets.
        """
        if self.root is None:
            return dict(self.variables)
        return dict(entry.partition("=")[::2] for entry in self.config["Env"])

    def words(
        self,
        *words: str,
        entry: Sequence[str] | None = None,
        user: str | None = None,
        mounts: Sequence[Mount] = (),
        variables: Iterable[str] = (),
    ) -> list[str]:
        """Command that starts the container, with its own entry point unless another is given.

        ``words`` take the place of the image's own; ``variables`` are passed on to the program.
        """
        if self.root is None:
            return self._engine_words(words, entry, user, mounts, variables)
        program = [*(self.config["Entrypoint"] if entry is None else entry)]
        program += words or (self.config["Cmd"] if entry is None else ())
        enter = ["unshare", "--mount", "/bin/sh", str(ENTER), str(self.root)]
        enter += [user or self.config["User"], self.config["WorkingDir"], *map(str, mounts)]
        enter += ["tmpfs:/dev/shm"] if self.shared_memory else []
        return [*enter, "--", *program]

    def _engine_words(
        self,
        words: Sequence[str],
        entry: Sequence[str] | None,
        user: str | None,
        mounts: Sequence[Mount],
        variables: Iterable[str],
    ) -> list[str]:
        run = [self.builder, "run", "--rm", "--interactive", "--init", "--network=host"]
        run += ["--read-only", "--tmpfs=/tmp"]
        run += [] if self.shared_memory else ["--ipc=none"]
        run += [f"--user={user}"] if user else []
        run += [f"--volume={mount}" for mount in mounts]
        run += [f"--env={name}" for name in variables]
        run += [f"--entrypoint={entry[0]}"] if entry else []
        return [*run, self.tag, *(entry or ())[1:], *words]

    def run(
        self,
        *words: str,
        stdin: bytes = b"",
        entry: Sequence[str] | None = None,
        user: str | None = None,
        mounts: Sequence[Mount] = (),
        environ: Mapping[str, str] = NOTHING,
        **more: str,
    ) -> Finished:
        """Run the container to its end, with variables in ``environ`` or by name."""
        variables = {**environ, **more}
        command = self.words(*words, entry=entry, user=user, mounts=mounts, variables=[*variables])
        env = {**self.surroundings(), **variables}
        done = subprocess.run(
            command, input=stdin, capture_output=True, env=env, timeout=60, check=False
        )
        return Finished(done.returncode, done.stdout, done.stderr.decode(errors="replace"))

    def python(self, code: str, *, user: str | None = None) -> list[str]:
        """Run code in the image's own Python; the lines that it prints."""
        done = self.run("-c", code, entry=["python"], user=user)
        assert done.code == 0, done.err
        return done.lines

    def save(self, archive: Path) -> None:
        """Write the image to a file, layer by layer."""
        if self.builder == "buildah":
            self._ask("push", "--quiet", self.tag, f"docker-archive:{archive}:{self.tag}")
        else:
            self._ask("save", "--output", str(archive), self.tag)

    def _ask(self, *words: str) -> str:
        return call([self.builder, *words], self.variables)


def call(words: Sequence[str], variables: Mapping[str, str], cwd: Path = ROOT) -> str:
    """Run a command that has to succeed; what it prints."""
    done = subprocess.run(
        words, capture_output=True, cwd=cwd, env=variables, text=True, timeout=SECONDS, check=False
    )
    assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout}{done.stderr}"
    return done.stdout
