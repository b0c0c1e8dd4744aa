"""Errors as a state machine sees them.

Lambda reports an exception to Step Functions by the name of its class, which the definition of a
state machine matches in ``Retry`` and ``Catch``; ``States.ALL`` stands for all other names, which
are those of bugs and of Lambda's own failures.

::

    Transient     trying again helps: retried with backoff
    Rejected      the source's own fault: leads to a rejected outcome
    Superseded    a later version was uploaded: its results are the ones to be made

The message begins with the code of the error: ``bad-operations: bluur: …``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from fft_tool import errors
from fft_tool.errors import FftToolError
from handler.errors import Overwritten

LONGEST_MESSAGE = 4000  # characters; a state machine passes them on with every later state

_MESSAGE = re.compile(r"([a-z][a-z-]*): (.*)", re.DOTALL)


class Transient(Exception):
    """Trying again helps."""


class Rejected(Exception):
    """The source's own fault: trying again would end in the same way."""


class Superseded(Exception):
    """A later version of the source was uploaded."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What a state machine has caught: code and message of an error."""

    code: str
    message: str

    def error(self) -> FftToolError:
        """The error as the core knows it."""
        kind = type("CaughtError", (FftToolError,), {"code": self.code, "permanent": True})
        made: FftToolError = kind(self.message)
        return made


@contextmanager
def as_states() -> Iterator[None]:
    """Raise errors of the core under the names that a state machine matches.

    Other exceptions are bugs and pass unchanged.
    """
    try:
        yield
    except FftToolError as exc:
        raise state_error(exc) from exc


def state_error(error: FftToolError) -> Exception:
    """The exception that tells a state machine of an error; an unexpected one is returned as is."""
    message = f"{error.code}: {error}"
    if len(message) > LONGEST_MESSAGE:
        message = message[: LONGEST_MESSAGE - 1] + "…"
    if isinstance(error, (Overwritten, errors.Superseded)):
        return Superseded(message)
    if error.permanent:
        return Rejected(message)
    if error.transient:
        return Transient(message)
    return error


def caught(error: Mapping[str, Any]) -> Fault:
    """What ``Catch`` has put into the input of a state: ``{"Error": …, "Cause": …}``.

    The cause of an error that a function raised is a JSON object with its message.
    """
    name, cause = str(error.get("Error", "")), str(error.get("Cause", ""))
    try:
        report = json.loads(cause)
    except ValueError:
        report = None
    message = str(report.get("errorMessage", "")) if isinstance(report, dict) else cause
    found = _MESSAGE.fullmatch(message)
    return Fault(found[1], found[2]) if found else Fault(name, message)
