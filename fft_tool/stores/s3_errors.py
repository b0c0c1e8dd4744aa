"""What S3 says, in the words of the core: none of a client's chatter in messages for people."""

from __future__ import annotations

import re

from fft_tool.errors import NoSuchBucket, NotAllowed, NotFound, StoreError, StoreUnavailable

_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_Meaning = tuple[type[StoreError], str]
_DENIED: _Meaning = NotAllowed, "access denied"
_ELSEWHERE: _Meaning = NotAllowed, "the bucket is in another region: set AWS_REGION to that one"
_AGAIN: _Meaning = StoreUnavailable, "S3 does not answer as it should, try again later"

# Codes tell more than the status that they come with; answers to HEAD have none.
_CODES: dict[str | None, _Meaning] = {
    "AuthorizationHeaderMalformed": _ELSEWHERE,
    "BadDigest": _AGAIN,
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
}


def place_of(bucket: str, key: str) -> str:
    """Location of an object for people: what would do something to a terminal is spelt out."""
    return _UNSEEN.sub(lambda found: repr(found[0])[1:-1], f"s3://{bucket}/{key}")


def refusal(bucket: str, key: str, status: int | None, code: str | None = None) -> StoreError:
    """Error for an answer of S3, told by its HTTP status and the code in its body, if any."""
    if code == "NoSuchBucket":
        return NoSuchBucket(f"s3://{bucket}: the bucket does not exist")
    kind, reason = _CODES.get(code) or _STATUSES.get(status) or _AGAIN
    return kind(f"{place_of(bucket, key)}: {reason}")


def unusable(bucket: str, key: str) -> NotAllowed:
    """Error for a key that cannot even be sent."""
    return NotAllowed(f"{place_of(bucket, key)}: not a name that can be used here")
