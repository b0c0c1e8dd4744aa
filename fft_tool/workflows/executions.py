"""Names of executions of the workflow that are started directly, so that twice is once."""

from __future__ import annotations

import hashlib
import re

_LONGEST = 80  # characters, the limit of Step Functions
_DIGITS = 32  # of the digest

_NOT_ALLOWED = re.compile(r"[^A-Za-z0-9]+")


def execution_name(key: str, etag: str, version: str = "") -> str:
    """Name of the execution for one version of an object; the same for the same version.

    Step Functions keeps a name for 90 days, and starts nothing for one that it knows. Pass the
    ``version`` where the bucket has versions: the ETag stays the same if only what is asked for
    the image changes. EventBridge does not name executions like this.

    >>> execution_name("workflow/plants/forest.png", "0cc175b9c0f1b6a831c399e269772661")
    'workflow-plants-forest-png-ec9d2f5ebc77429e8a6ed75060353ba7'
    """
    parts = "\n".join((key, etag.strip('"'), version))
    digest = hashlib.sha256(parts.encode()).hexdigest()[:_DIGITS]
    readable = _NOT_ALLOWED.sub("-", key)[-(_LONGEST - _DIGITS - 1) :].strip("-")
    return f"{readable}-{digest}".lstrip("-")
