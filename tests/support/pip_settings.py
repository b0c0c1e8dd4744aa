"""How pip is set up on this machine, for a pip that runs while an image is built."""

from __future__ import annotations

import ast
import ssl
import subprocess
import sys
from pathlib import Path

# Folders and certificates of this machine are not there in a container.
PASSED_ON = {
    "extra-index-url",
    "index-url",
    "retries",
    "timeout",
    "default-timeout",
    "trusted-host",
}


def secrets(folder: Path) -> list[str]:
    """Flags that pass settings and certificates on for the length of one command."""
    settings = folder / "pip.conf"
    lines = [f"{name} = {value}" for name, value in _settings().items() if name in PASSED_ON]
    settings.write_text("\n".join(["# not-for-any-layer", "[global]", *lines, ""]))
    flags = [f"--secret=id=pip,src={settings}"]
    authorities = _authorities()
    return [*flags, f"--secret=id=ca,src={authorities}"] if authorities else flags


def index() -> list[str]:
    """Flags that name the index to uv, where it is not the usual one."""
    address = _settings().get("index-url")
    return [f"--default-index={address}"] if address else []


def _settings() -> dict[str, str]:
    words = [sys.executable, "-m", "pip", "config", "list"]
    said = subprocess.run(words, capture_output=True, check=True, text=True).stdout
    entries = (line.partition("=") for line in said.splitlines())
    return {name.rpartition(".")[2]: ast.literal_eval(value) for name, _, value in entries}


def _authorities() -> str | None:
    """The file of certificates that this machine trusts: its pip's own, or OpenSSL's."""
    found = _settings().get("cert") or ssl.get_default_verify_paths().cafile
    return found if found and Path(found).is_file() else None
