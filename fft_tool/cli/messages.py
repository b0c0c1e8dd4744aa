"""Error messages of the command line, where keys of the recipe are flags."""

from __future__ import annotations

import re
import shlex

from fft_tool.cli.output import say
from fft_tool.errors import FftToolError, RecipeError, RecipeFault, StoreUnavailable
from fft_tool.recipe import KEYS
from fft_tool.results.values import Remark
from fft_tool.stores.endpoint import endpoint

# The flag that raises a limit.
_RAISES = {"too-many-pixels": "--max-pixels", "too-much-memory": "--max-memory"}

_SWITCHES = {key.name for key in KEYS if key.value_type.flag}
_ENTRY = re.compile(rf"\b({'|'.join(key.name for key in KEYS)})=(\S+?)(?=[,;]?(?:\s|$))")


def sentence(error: FftToolError) -> str:
    """Message for an error; names flags instead of keys, and the flag that raises a limit."""
    if isinstance(error, RecipeError):
        return "; ".join(map(_fault, error.faults))
    if isinstance(error, StoreUnavailable) and (url := endpoint()) and url not in str(error):
        return f"{error} (the endpoint is {url})"
    flag = _RAISES.get(error.code)
    return f"{error}; {flag} raises the limit" if flag else str(error)


def about(source: str, error: FftToolError) -> str:
    """Message for an error about a source, preceded by the name of the source."""
    text = sentence(error)
    return text if source.rstrip("/") in text else f"{source}: {text}"


# Advice of this door only, after that on a key.
_ALSO = {"frame": ", --frames all each of them"}


def about_remark(source: str, remark: Remark) -> str:
    """Remark on an artifact of a source, with the flag that would help."""
    advice = f"; {_flag(remark.key, remark.value)} {remark.effect}" if remark.key else ""
    return f"{source}: {remark.text}{advice}{_ALSO.get(remark.key, '')}"


class Faults:
    """Reports what could not be read, and keeps the resulting exit code."""

    exit_code = 0

    def __call__(self, fault: FftToolError, source: str = "") -> None:
        """Report a fault, of a source if one is given."""
        say(about(source, fault))
        self.exit_code = 1


def _fault(fault: RecipeFault) -> str:
    allowed = _ENTRY.sub(lambda entry: _flag(entry[1], entry[2]), fault.allowed)
    return f"{_flag(fault.key, fault.value)}: {allowed}"


def _flag(key: str, value: str) -> str:
    """Write an entry of a recipe as it is given on the command line."""
    if key in _SWITCHES and value in ("yes", "no"):
        return f"--{key}" if value == "yes" else f"--no-{key}"
    return f"--{key} {shlex.quote(value)}"
