"""``logs``: print the function's log."""

from __future__ import annotations

from tools.local_aws.clients import LocalAws
from tools.local_aws.resource import LOG_GROUP
from tools.log_tail import Printer, Tail
from tools.say import say

PAUSE = 0.3  # seconds between two requests


def show(aws: LocalAws, *, raw: bool, once: bool) -> None:
    """Print the log; unless ``once``, follow it until interrupted or the local AWS is stopped."""
    from botocore.exceptions import EndpointConnectionError  # noqa: PLC0415  (slow to import)

    tail, printer = Tail(aws.logs, LOG_GROUP), Printer(raw=raw)
    try:
        for line in tail.read() if once else tail.follow(PAUSE):
            printer.print(line)
    except KeyboardInterrupt:
        pass
    except EndpointConnectionError:
        say("local AWS: stopped")
