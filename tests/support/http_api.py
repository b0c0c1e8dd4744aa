"""Events of an HTTP API of API Gateway, in the form 2.0 of their payload, and answers to them."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any


def http_event(method: str, path: str, body: bytes = b"", **headers: str) -> dict[str, Any]:
    """A request as a function receives it; ``_`` in the names of headers stands for ``-``."""
    return {
        "version": "2.0",
        "routeKey": f"ANY {path}",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {
            "host": "api.example",
            **{name.replace("_", "-"): text for name, text in headers.items()},
        },
        "requestContext": {
            "http": {"method": method, "path": path, "sourceIp": "192.0.2.7"},
            "stage": "$default",
        },
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
    }


def body_of(answer: Mapping[str, Any]) -> bytes:
    """The body of an answer."""
    text: str = answer["body"]
    return base64.b64decode(text) if answer["isBase64Encoded"] else text.encode()


def json_of(answer: Mapping[str, Any]) -> Any:
    """The body of an answer, which is JSON."""
    return json.loads(body_of(answer))
