"""Errors of this door, in addition to those of the core.

::

    FftToolError
    ├── MalformedEvent    malformed-event     not an event of a supported kind
    ├── KeyTooLong        key-too-long        its outputs would have keys longer than S3 allows
    ├── OutOfTime         out-of-time         returned, to be retried in another invocation
    └── Overwritten       source-overwritten  a later version was uploaded during the work
"""

from __future__ import annotations

from fft_tool.errors import FftToolError


class MalformedEvent(FftToolError):
    """The event, or a message inside it, does not have the expected form."""

    code = "malformed-event"


class KeyTooLong(FftToolError):
    """The keys of the outputs, including the record, would be longer than S3 allows."""

    code = "key-too-long"
    permanent = True


class OutOfTime(FftToolError):
    """The invocation ends too soon for the remaining work."""

    code = "out-of-time"
    transient = True


class Overwritten(FftToolError):
    """A later version of the object was uploaded while this one was being processed."""

    code = "source-overwritten"
    transient = True
