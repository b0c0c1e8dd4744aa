"""The server: listens, answers, and stops cleanly when it is told to."""

from __future__ import annotations

import gc
import logging
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import ExitStack, closing

import uvicorn

from fft_tool.errors import UsageError
from service.app import create_app
from service.jobs.worker import Worker
from service.parts import Parts, make_parts
from service.protocol import BoundedProtocol
from service.settings import Settings
from service.work import WORK

CLOSING = 20  # seconds for which requests may go on when the server is to stop
KEEPING = 30  # seconds for which a connection without requests is kept

log = logging.getLogger(__name__)


def serve(settings: Settings) -> None:
    """Serve until the process is told to stop, by SIGTERM or Ctrl-C; requests are finished."""
    _on_signals(lambda: sys.exit(0))  # until there is anything to finish
    with ExitStack() as stack:
        listener = stack.enter_context(closing(_listen(settings)))
        parts = stack.enter_context(closing(make_parts(settings)))
        if settings.worker == "in-process":
            worker = Worker(parts, WORK)
            worker.start()
            stack.callback(worker.stop)
        server = uvicorn.Server(_config(parts))
        # uvicorn has such handlers itself while it runs; afterwards, it raises the signal again.
        _on_signals(lambda: setattr(server, "should_exit", True))
        listener.listen(server.config.backlog)
        _tell(parts, listener)
        # What there is by now stays: searching it again for garbage would hold up all requests
        # for 100 ms from time to time.
        gc.collect()
        gc.freeze()
        server.run(sockets=[listener])
    log.info("stopped")


def _on_signals(act: Callable[[], object]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: act())


def _config(parts: Parts) -> uvicorn.Config:
    return uvicorn.Config(
        create_app(parts),
        http=BoundedProtocol,
        ws="none",
        access_log=False,  # the application has a log of its own
        log_config=None,
        server_header=False,
        proxy_headers=False,  # addresses are read where they are needed, with the settings for it
        timeout_keep_alive=KEEPING,
        timeout_graceful_shutdown=CLOSING,
    )


def _listen(settings: Settings) -> socket.socket:
    """Bind the socket; its errors name the settings."""
    try:
        infos = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        family, kind, number, _, address = infos[0]
        listener = socket.socket(family, kind, number)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as exc:
        raise UsageError(
            f"HOST={settings.host!r}, PORT={settings.port}: cannot listen there: "
            f"{(exc.strerror or str(exc)).lower()}"
        ) from exc
    return listener


def _tell(parts: Parts, listener: socket.socket) -> None:
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    log.info("serving at http://%s:%d", shown, port)
    log.info(
        "database %s, queue in %s, storage %s",
        *(parts.database.place, parts.queue.place, parts.blobs.store.url),
    )
