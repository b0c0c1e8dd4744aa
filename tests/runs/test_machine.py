"""Limits of a container override the resources of the machine that it runs on."""

from __future__ import annotations

from pathlib import Path

import pytest

from fft_tool.runs.machine import physical_memory, usable_cores

MIB = 1 << 20


def group(root: Path, cgroup: str, **settings: str) -> Path:
    """A file system that puts this process into a control group; settings by path."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(cgroup)
    for name, text in settings.items():
        path = root / "sys/fs/cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")
    return root


@pytest.mark.parametrize(
    ("cgroup", "settings"),
    [
        ("0::/", {"memory.max": f"{64 * MIB}"}),
        ("0::/pod/container", {"pod/container/memory.max": f"{64 * MIB}"}),
        ("0::/pod/container", {"pod/memory.max": f"{64 * MIB}", "pod/container/memory.max": "max"}),
        ("0::/of/the/host", {"memory.max": f"{64 * MIB}"}),
        ("9:memory:/box\n1:name=x:/", {"memory/box/memory.limit_in_bytes": f"{64 * MIB}"}),
    ],
    ids=["root", "own", "around", "seen from inside", "version 1"],
)
def test_the_memory_of_a_control_group_is_the_memory(
    cgroup: str, settings: dict[str, str], tmp_path: Path
) -> None:
    assert physical_memory(group(tmp_path, cgroup, **settings)) == 64 * MIB


@pytest.mark.parametrize(("quota", "cores"), [("100000 100000", 1), ("50000 100000", 1)])
def test_a_share_of_the_processors_is_rounded_up(quota: str, cores: int, tmp_path: Path) -> None:
    assert usable_cores(group(tmp_path, "0::/box", **{"box/cpu.max": quota})) == cores


@pytest.mark.parametrize("text", ["max 100000", "", "nonsense", "max"])
def test_settings_without_a_limit_change_nothing(text: str, tmp_path: Path) -> None:
    everything = group(tmp_path / "plain", "")
    limited = group(tmp_path / "none", "0::/", **{"cpu.max": text, "memory.max": text})
    assert usable_cores(limited) == usable_cores(everything)
    assert physical_memory(limited) == physical_memory(everything) > 0


def test_a_control_group_cannot_exceed_the_machine(tmp_path: Path) -> None:
    huge = {"memory.max": str(1 << 60), "cpu.max": "99900000 100000"}
    root = group(tmp_path / "huge", "0::/", **huge)
    assert physical_memory(root) == physical_memory(group(tmp_path / "plain", ""))
    assert usable_cores(root) == usable_cores(group(tmp_path / "other", ""))


def test_systems_without_control_groups_use_the_limits_of_the_machine(tmp_path: Path) -> None:
    assert usable_cores(tmp_path) >= 1
    assert physical_memory(tmp_path) > 0
