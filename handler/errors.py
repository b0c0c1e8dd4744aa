"""What can go wrong at this door, beside the errors of the core.

::

    FftToolError
    ├── SettingsError     bad-settings        the function does not start
    ├── MalformedEvent    malformed-event     not one of the events that are understood
    ├── KeyTooLong        key-too-long        its outputs would have names that S3 refuses
    ├── OutOfTime         out-of-time         handed back, to be tried in another invocation
    └── Overwritten       source-overwritten  a later version came while it was being worked on
"""

from __future__ import annotations

from collections.abc import Sequence

from fft_tool.errors import FftToolError


class SettingsError(FftToolError):
    """One or more settings are wrong; all of them are in ``faults``."""

    code = "bad-settings"

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(faults))


class MalformedEvent(FftToolError):
    """The event, or the message inside it, is not what it should be."""

    code = "malformed-event"


class KeyTooLong(FftToolError):
    """The names of the outputs, the record's among them, would be longer than S3 allows."""

    code = "key-too-long"
    permanent = True


class OutOfTime(FftToolError):
    """The invocation ends too soon for the work that is left."""

    code = "out-of-time"
    transient = True


class Overwritten(FftToolError):
    """A later version of the object was uploaded while this one was being worked on."""

    code = "source-overwritten"
    transient = True
