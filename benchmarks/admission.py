"""Which contenders are timed: those that are installed and give the right result."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from contenders import OURS
from measure import CommandFailed
from reference import WrongResult

NOT_INSTALLED = "not installed"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A contender, whether it is installed, and a call that raises if its result is wrong."""

    name: str
    installed: bool
    check: Callable[[], None]


def refused(candidates: Iterable[Candidate]) -> dict[str, str]:
    """Return the contenders that cannot be timed, with the reason that the table shows.

    A wrong result of our own is raised.
    """
    reasons = {candidate.name: _obstacle(candidate) for candidate in candidates}
    return {name: reason for name, reason in reasons.items() if reason}


def _obstacle(candidate: Candidate) -> str:
    if not candidate.installed:
        return NOT_INSTALLED
    try:
        candidate.check()
    except (WrongResult, CommandFailed) as exc:
        if candidate.name == OURS:
            raise
        print(f"{candidate.name}: {exc}", file=sys.stderr)
        return "wrong result" if isinstance(exc, WrongResult) else "failed"
    return ""
