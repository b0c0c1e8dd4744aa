"""Executions of the workflow: their input, and names for those that are started directly."""

from __future__ import annotations

import hashlib
import json
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


def input_of(bucket: str, key: str, etag: str, version: str = "") -> str:
    """Input of an execution for one version of an object: what the workflow needs of an event.

    >>> input_of("images", "a.png", '"0cc1"')
    '{"detail": {"bucket": {"name": "images"}, "object": {"key": "a.png", "etag": "0cc1"}}}'
    """
    about = {"key": key, "etag": etag.strip('"'), **({"version-id": version} if version else {})}
    return json.dumps({"detail": {"bucket": {"name": bucket}, "object": about}})


def is_about(given: str, key: str, etag: str) -> bool:
    """Whether the input of an execution tells of this version of an object.

    >>> is_about('{"detail": {"object": {"key": "a.png", "etag": "0cc1"}}}', "a.png", '"0cc1"')
    True
    """
    about = json.loads(given).get("detail", {}).get("object", {})
    return (about.get("key"), about.get("etag", "").strip('"')) == (key, etag.strip('"'))
