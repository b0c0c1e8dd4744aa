"""What a :class:`~fft_tool.runs.child.Child` runs: images in, artifacts out, over pipes.

=========  =======================================================================
reads      what it is to be ready for, then one source after the other
writes     "ready"; then for each source the steps, and artifacts or why there are none
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

_MOST_FILES = 4096
_FRAMES, _LONGEST = 50, 4000  # of a bug that is told: places, and characters of its message


def main() -> None:
    """Serve until the other side closes the pipe."""
    os.closerange(3, _MOST_FILES)  # what the parent's libraries may have left open
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles interrupts
    requests = open(0, "rb", closefd=False)  # noqa: SIM115  (a pipe has no path)
    send = partial(frames.send, FileIO(os.dup(1), "w", closefd=False))
    hello = frames.receive(requests)
    if hello is None:
        return
    pipeline.warm_up(Recipe.parse_text(hello["recipe"]))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    bound = machine.address_bound(hello["memory"], threads=hello["threads"])
    _fall_silent()
    send({"ready": True})
    while head := frames.receive(requests):
        if bound is not None:
            machine.limit_addresses(bound - head["bytes"])  # the parent holds the source as well
        source = Source(head["name"], requests.read(head["bytes"]))
        # If the parent ends meanwhile, nothing else would stop an image that takes for ever.
        signal.setitimer(signal.ITIMER_REAL, head["seconds"])
        if not _answer(source, head, hello["threads"], send):
            return
        signal.setitimer(signal.ITIMER_REAL, 0)
        del source


def _fall_silent() -> None:
    """Discard further output: messages of decoders on untrusted data do not belong in the log."""
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123  (pathlib's is no faster to read)
        for stream in (1, 2):
            os.dup2(nowhere.fileno(), stream)


def _answer(source: Source, head: Json, threads: int, send: Send) -> bool:
    """Analyse an image, or say why not; whether this process can go on."""
    try:
        _analyse(source, head, threads, send)
    except MemoryError:
        send({"out_of_memory": True})
        return False  # what is left of the memory may be in pieces
    except RecipeError as exc:
        faults = [(fault.key, fault.value, fault.allowed) for fault in exc.faults]
        send({"refused": exc.code, "message": str(exc), "faults": faults})
    except FftToolError as exc:
        send({"refused": exc.code, "message": str(exc)})
    except Exception as exc:  # noqa: BLE001  (told to the parent, which logs it)
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
