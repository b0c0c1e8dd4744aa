"""Who may be timed: contenders that are there and give the right result."""

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
    there: bool
    check: Callable[[], None]


def refused(candidates: Iterable[Candidate]) -> dict[str, str]:
    """Give those that cannot be timed, and why, in the words of the table.

    A wrong result of our own is not a row in a table but the end.
    """
    reasons = {candidate.name: _obstacle(candidate) for candidate in candidates}
    return {name: reason for name, reason in reasons.items() if reason}


def _obstacle(candidate: Candidate) -> str:
    if not candidate.there:
        return NOT_INSTALLED
    try:
        candidate.check()
    except (WrongResult, CommandFailed) as exc:
        if candidate.name == OURS:
            raise
        print(f"{candidate.name}: {exc}", file=sys.stderr)
        return "wrong result" if isinstance(exc, WrongResult) else "failed"
    return ""
