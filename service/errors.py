"""Errors of this door, in addition to those of the core.

::

    FftToolError
    └── Refused
        ├── BadRequest          bad-request         ``faults`` lists every reason
        ├── NotMultipart        not-multipart       the body is not a form
        ├── TooSlow             too-slow            the upload took too long, or stopped
        ├── TooLarge            too-large           the upload has more bytes than allowed
        ├── NotAuthenticated    not-authenticated   there is no key, or it is not valid
        ├── Forbidden           forbidden           the key does not allow it
        ├── NotHere             not-found           it does not exist, or belongs to another tenant
        ├── Misdirected         misdirected         the service is not known by the name asked for
        ├── StillRunning        still-running       a job has to end first
        ├── NotFailed           not-failed          only a failed job can be queued again
        ├── WorkflowRejected    workflow-rejected   the workflow on AWS refuses the image
        ├── WorkflowFailed      workflow-failed     an execution has failed, another may not
        ├── TooManyRequests     too-many-requests   (worth retrying)
        └── Busy                busy                (worth retrying)

The messages of all of them are public: they never name folders, hosts or settings.
"""

from __future__ import annotations

from fft_tool.errors import FftToolError


class Refused(FftToolError):
    """The service refuses a request, for a reason that the client may know."""


class BadRequest(Refused):
    """The request does not have the form that it must have; ``faults`` lists every reason."""

    code = "bad-request"
    permanent = True

    def __init__(self, *faults: str) -> None:
        self.faults = faults
        super().__init__("; ".join(faults))


class NotMultipart(Refused):
    """The body is not a form as ``multipart/form-data``."""

    code = "not-multipart"
    permanent = True


class TooSlow(Refused):
    """The upload took longer than allowed, or no bytes came for too long."""

    code = "too-slow"


class TooLarge(Refused):
    """The upload has more bytes than allowed."""

    code = "too-large"
    permanent = True


class NotAuthenticated(Refused):
    """The request has no key, or one that is not valid."""

    code = "not-authenticated"


class Forbidden(Refused):
    """The key of the request does not allow this."""

    code = "forbidden"


class NotHere(Refused):
    """It does not exist, or belongs to another tenant: the message is the same."""

    code = "not-found"
    permanent = True


class Misdirected(Refused):
    """The request is for a host by whose name this service is not known."""

    code = "misdirected"
    permanent = True


class StillRunning(Refused):
    """A job has to end first."""

    code = "still-running"


class NotFailed(Refused):
    """The job has not failed, so it cannot be queued again."""

    code = "not-failed"


class WorkflowRejected(Refused):
    """The workflow on AWS refuses the image, or what is asked for it; the message says why."""

    code = "workflow-rejected"
    permanent = True


class WorkflowFailed(Refused):
    """An execution of the workflow on AWS has led to no results; another one may."""

    code = "workflow-failed"


class _Later(Refused):
    """Another attempt after ``retry_after`` seconds may succeed."""

    transient = True

    def __init__(self, message: str, retry_after: int) -> None:
        self.retry_after = retry_after
        super().__init__(message)

    def __reduce__(self) -> tuple[type[_Later], tuple[str, int]]:
        return type(self), (str(self), self.retry_after)


class TooManyRequests(_Later):
    """The client has made more requests than allowed."""

    code = "too-many-requests"


class Busy(_Later):
    """The service has more to do than it can do at once."""

    code = "busy"
