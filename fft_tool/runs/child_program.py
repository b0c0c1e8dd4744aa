"""The program that a :class:`~fft_tool.runs.child.Child` runs: reads images, writes artifacts.

=========  =======================================================================
reads      a recipe, memory limit and number of threads; then one source after another
writes     "ready"; then for each source its steps, and its artifacts or the error
=========  =======================================================================
"""

from __future__ import annotations

import os
import resource
import signal
import traceback
from collections.abc import Callable
from functools import partial
from io import FileIO

from fft_tool import pipeline
from fft_tool.codec.header import Header
from fft_tool.errors import FftToolError, RecipeError
from fft_tool.limits import Limits
from fft_tool.recipe import Recipe
from fft_tool.results.outputs import Source
from fft_tool.runs import frames, machine
from fft_tool.validate import Json

Send = Callable[..., None]

_MAX_FILES = 4096
_FRAMES, _LONGEST = 50, 4000  # stack frames and characters of the message when reporting a bug


def main() -> None:
    """Serve requests until the parent closes the pipe."""
    os.closerange(3, _MAX_FILES)  # descriptors that the parent's libraries may have left open
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles interrupts
    requests = open(0, "rb", closefd=False)  # noqa: SIM115  (a pipe has no path)
    send = partial(frames.send, FileIO(os.dup(1), "w", closefd=False))
    hello = frames.receive(requests)
    if hello is None:
        return
    pipeline.warm_up(Recipe.parse_text(hello["recipe"]))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    bound = machine.address_bound(hello["memory"], threads=hello["threads"])
    _discard_output()
    send({"ready": True})
    while head := frames.receive(requests):
        if bound is not None:
            machine.limit_addresses(bound - head["bytes"])  # the parent holds the source as well
        source = Source(head["name"], requests.read(head["bytes"]))
        # Ends a run that never finishes, in case the parent has died.
        signal.setitimer(signal.ITIMER_REAL, head["seconds"])
        if not _answer(source, head, hello["threads"], send):
            return
        signal.setitimer(signal.ITIMER_REAL, 0)
        del source


def _discard_output() -> None:
    """Discard further output: decoders' messages about untrusted data do not belong in the log."""
    with open(os.devnull, "wb") as null:  # noqa: PTH123  (pathlib has no benefit here)
        for stream in (1, 2):
            os.dup2(null.fileno(), stream)


def _answer(source: Source, head: Json, threads: int, send: Send) -> bool:
    """Analyse an image and send artifacts or an error; return whether the process can continue."""
    try:
        _analyse(source, head, threads, send)
    except MemoryError:
        send({"out_of_memory": True})
        return False  # the remaining memory may be fragmented
    except RecipeError as exc:
        faults = [(fault.key, fault.value, fault.allowed) for fault in exc.faults]
        send({"refused": exc.code, "message": str(exc), "faults": faults})
    except FftToolError as exc:
        send({"refused": exc.code, "message": str(exc)})
    except Exception as exc:  # noqa: BLE001  (sent to the parent, which logs it)
        stack = traceback.format_tb(exc.__traceback__)[-_FRAMES:]
        send({"bug": type(exc).__name__, "message": str(exc)[:_LONGEST], "stack": stack})
    return True


def _analyse(source: Source, head: Json, threads: int, send: Send) -> None:
    headers: list[Header] = []

    def on_header(header: Header) -> None:
        headers.append(header)
        send({"pixels": header.width * header.height})

    outputs = pipeline.run(
        source,
        Recipe.parse_text(head["recipe"]),
        Limits(**{**head["limits"], "formats": tuple(head["limits"]["formats"])}),
        threads=threads,
        on_step=lambda name: send({"step": name}),
        on_header=on_header,
    )
    for artifact in outputs:
        send({"artifact": artifact.kind}, artifact.data)
    height, width = headers[0].shape
    send({"done": source.sha256, "width": width, "height": height})
