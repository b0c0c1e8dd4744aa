"""Translation of S3 errors to those of the core, with concise messages."""

from __future__ import annotations

import re

from fft_tool.errors import NoSuchBucket, NotAllowed, NotFound, StoreError, StoreUnavailable


class Exists(StoreError):
    """There is an object of that name already."""


class Conflict(StoreUnavailable):
    """Another request for the same key was in progress, so that S3 decided neither way."""


_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_Meaning = tuple[type[StoreError], str]
_DENIED: _Meaning = NotAllowed, "access denied"
_ELSEWHERE: _Meaning = NotAllowed, "the bucket is in another region: set AWS_REGION to that one"
_BUSY: _Meaning = Conflict, "is being written by somebody else, try again later"
_AGAIN: _Meaning = StoreUnavailable, "S3 is not responding as expected, try again later"

# Error codes are more specific than the HTTP status; responses to HEAD requests have no code.
_CODES: dict[str | None, _Meaning] = {
    "AuthorizationHeaderMalformed": _ELSEWHERE,
    "BadDigest": _AGAIN,
    "ConditionalRequestConflict": _BUSY,
    "ExpiredToken": (NotAllowed, "access denied, the credentials have expired"),
    "IncompleteBody": _AGAIN,
    "InvalidToken": _DENIED,
    "KeyTooLongError": (NotAllowed, "the key is too long, S3 allows 1,024 bytes"),
    "PermanentRedirect": _ELSEWHERE,
    "RequestTimeout": _AGAIN,
}
_STATUSES: dict[int | None, _Meaning] = {
    301: _ELSEWHERE,
    400: (NotAllowed, "S3 does not accept the request"),
    401: _DENIED,
    403: _DENIED,
    404: (NotFound, "does not exist"),
    412: (Exists, "exists already"),
    409: _BUSY,
}


def place_of(bucket: str, key: str) -> str:
    """Location of an object for messages, with control characters escaped."""
    return _UNSEEN.sub(lambda found: repr(found[0])[1:-1], f"s3://{bucket}/{key}")


def refusal(bucket: str, key: str, status: int | None, code: str | None = None) -> StoreError:
    """Error for a response of S3, from its HTTP status and the error code in its body, if any."""
    if code == "NoSuchBucket":
        return NoSuchBucket(f"s3://{bucket}: the bucket does not exist")
    error, reason = _CODES.get(code) or _STATUSES.get(status) or _AGAIN
    return error(f"{place_of(bucket, key)}: {reason}")


def unusable(bucket: str, key: str) -> NotAllowed:
    """Error for a key that cannot be sent at all."""
    return NotAllowed(f"{place_of(bucket, key)}: not a valid name")
