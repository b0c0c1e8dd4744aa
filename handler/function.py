"""The function: an event in, work, an answer out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Protocol

from fft_tool.store import Store, open_store
from handler.answers import answer
from handler.events import Malformed, Message, Part, PassedOver, only_of, parse
from handler.log import Log
from handler.result import Result
from handler.settings import Settings
from handler.watch import Watch
from handler.work import Worker


class Context(Protocol):
    """What is used of the context that Lambda gives with each event."""

    aws_request_id: str
    function_name: str

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda ends the invocation."""
        ...


class Function:
    """What Lambda calls. It keeps nothing from one event to the next but its connections."""

    def __init__(
        self,
        settings: Settings,
        *,
        cores: int = 1,
        open_bucket: Callable[[str, float], Store] | None = None,
    ) -> None:
        threads = settings.threads(cores)
        self._worker = Worker(settings, open_bucket or cache(_open_bucket), threads)
        self._log = Log(settings.namespace)
        self._reserve_ms = settings.reserve_ms
        self._buckets = settings.buckets
        self._cold = True

    def __call__(self, event: Mapping[str, Any], context: Context) -> Any:
        """Do what an event asks for, and answer it as its sender expects."""
        self._log.begin(context.function_name, context.aws_request_id)
        delivery = only_of(parse(event), self._buckets)
        answered = [(message, self._do(message, context)) for message in delivery.messages]
        return answer(delivery, answered)

    def _do(self, message: Message, context: Context) -> list[Result]:
        """Do all parts of a message, and log how each of them ended."""
        results = []
        for part in message.parts:
            watch = Watch(context.get_remaining_time_in_millis, self._reserve_ms)
            result = self._do_part(part, watch)
            watch.stop()
            self._log.result(result, watch, message, cold=self._cold)
            self._cold = False
            results.append(result)
        return results

    def _do_part(self, part: Part, watch: Watch) -> Result:
        """Do one part; whatever goes wrong with it concerns its message alone."""
        match part:
            case PassedOver():
                return Result(part, "ignored", part.reason)
            case Malformed():
                return Result(part, "failed", error=part.error)
        try:
            return self._worker.do(part, watch)
        except Exception as exc:  # noqa: BLE001  (logged, and its message handed back)
            return Result(part, "failed", error=exc)


def _open_bucket(name: str, patience: float) -> Store:
    return open_store(f"s3://{name}", patience=patience)
