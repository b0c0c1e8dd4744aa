"""checkov on everything that is deployed: every finding is skipped inline with a reason.

It has an environment of its own (`make checkov`), since it pins versions that others do not.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.system.terraform.files import FOLDER

pytestmark = pytest.mark.slow

SCANNED = ("terraform", "docker")
SECONDS = 300
OURS = Path(sys.prefix) / "checkov" / "bin" / "checkov"


@pytest.fixture(scope="module")
def reports(repository: Path) -> list[dict[str, Any]]:
    """The reports of checkov, by kind of file."""
    program = OURS if OURS.exists() else shutil.which("checkov")
    if not program:
        pytest.skip("checkov is not installed: make checkov")
    return [report for folder in SCANNED for report in scan(program, repository / folder)]


def scan(program: Path | str, folder: Path) -> list[dict[str, Any]]:
    """Run checkov on a folder."""
    words = [program, "--directory", folder, "--output", "json", "--compact"]
    done = subprocess.run(
        [*map(str, words), "--skip-download", "--soft-fail"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    return found if isinstance(found, list) else [found]


def test_all_files_are_read(reports: list[dict[str, Any]]) -> None:
    assert {report["check_type"] for report in reports} >= {"terraform", "dockerfile"}
    assert not [name for report in reports for name in report["results"]["parsing_errors"]]
    assert all(report["summary"]["passed"] for report in reports)


def test_there_are_no_findings(reports: list[dict[str, Any]]) -> None:
    found = [
        f"{check['file_path']}: {check['check_id']} {check['resource']}: {check['check_name']}"
        for report in reports
        for check in report["results"]["failed_checks"]
    ]
    assert not found


def test_every_skipped_check_has_a_reason(reports: list[dict[str, Any]]) -> None:
    for report in reports:
        for check in report["results"]["skipped_checks"]:
            assert len(check["check_result"]["suppress_comment"]) > 20, check["check_id"]


def test_no_skip_is_unnecessary(reports: list[dict[str, Any]]) -> None:
    used = {
        (Path(check["file_path"]).name, check["check_id"])
        for report in reports
        for check in report["results"]["skipped_checks"]
    }
    said = {
        (path.name, check)
        for path in FOLDER.rglob("*.tf")
        for check in re.findall(r"#checkov:skip=(\w+):", path.read_text("utf-8"))
    }
    assert said <= used
