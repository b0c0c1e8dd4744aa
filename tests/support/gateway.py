"""What stands between the function and S3: it notes every request, and fails where it has to."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from tests.system.chaos.proxy import Answer, Meet, PassOn, Request, refusal

Deed = Callable[[PassOn], Answer | None]


def refuse(status: int) -> Deed:
    """Answer with an error in S3's place."""
    return lambda _: replace(refusal(status), body=b"", headers=(("Content-Length", "0"),))


def slow(seconds: float) -> Deed:
    """Take some time over it."""

    def deed(pass_on: PassOn) -> Answer:
        time.sleep(seconds)
        return pass_on()

    return deed


def cut(pass_on: PassOn) -> Answer:
    """Send half of the body, then end the connection."""
    return replace(pass_on(), whole=False)


def before(act: Callable[[], object]) -> Deed:
    """Have something happen just before S3 is asked."""

    def deed(pass_on: PassOn) -> Answer:
        act()
        return pass_on()

    return deed


def at(deed: Deed, key: str, method: str | None = None, *, times: int | None = None) -> Meet:
    """Do something at requests for one key, the first ``times`` times; pass on all others."""
    done = 0

    def rule(request: Request, pass_on: PassOn) -> Answer | None:
        nonlocal done
        wanted = request.key == key and method in (None, request.method)
        if not wanted or done == times:
            return pass_on()
        done += 1
        return deed(pass_on)

    return rule


class Gateway:
    """Meets every request: ``rule`` may be changed at any time."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Pass everything on, and forget what was asked."""
        self.rule: Meet = lambda _, pass_on: pass_on()
        self.asked: list[tuple[str, str]] = []

    def meet(self, request: Request, pass_on: PassOn) -> Answer | None:
        """Note a request, and do with it as the rule says."""
        self.asked.append((request.method, request.key))
        return self.rule(request, pass_on)

    def keys(self, method: str) -> list[str]:
        """Keys of all requests of one kind, in order."""
        return [key for asked, key in self.asked if asked == method]
