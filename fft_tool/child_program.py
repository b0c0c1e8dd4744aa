"""What a :class:`~fft_tool.child.Child` runs: images in, artifacts out, over pipes.

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
from functools import partial
from io import FileIO

from fft_tool import frames, machine, pipeline
from fft_tool.errors import FftToolError, RecipeError
from fft_tool.header import Header
from fft_tool.limits import Limits
from fft_tool.outputs import Source
from fft_tool.recipe import Recipe

_MOST_FILES = 4096


def main() -> None:
    """Serve until the other side closes the pipe."""
    os.closerange(3, _MOST_FILES)  # what the parent's libraries may have left open
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is the parent's affair
    requests = open(0, "rb", closefd=False)  # noqa: SIM115  (a pipe has no path)
    replies = FileIO(os.dup(1), "w", closefd=False)
    os.dup2(2, 1)  # what a library prints is no reply
    hello = frames.receive(requests)
    if hello is None:
        return
    recipe = Recipe.parse_text(hello["recipe"])
    pipeline.warm_up(recipe)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    bound = machine.address_bound(hello["memory"], threads=hello["threads"])
    # From now on strangers' bytes are decoded: nothing of what that prints is to reach the log.
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123  (pathlib's is no faster to read)
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    send = partial(frames.send, replies)
    send({"ready": True})
    while head := frames.receive(requests):
        if bound is not None:
            machine.limit_addresses(bound - head["bytes"])  # the parent holds the source as well
        source = Source(head["name"], requests.read(head["bytes"]))
        # Whoever waits may end meanwhile: nobody would then end what never comes to its end.
        signal.setitimer(signal.ITIMER_REAL, head["seconds"])
        try:
            _analyse(source, head, hello["threads"], send)
        except MemoryError:
            send({"out_of_memory": True})
            return  # what is left of the memory may be in pieces
        except RecipeError as exc:
            faults = [(fault.key, fault.value, fault.allowed) for fault in exc.faults]
            send({"refused": exc.code, "message": str(exc), "faults": faults})
        except FftToolError as exc:
            send({"refused": exc.code, "message": str(exc)})
        except Exception as exc:  # noqa: BLE001  (told to the parent, which logs it)
            stack = traceback.format_tb(exc.__traceback__)
            send({"bug": type(exc).__name__, "message": str(exc)[:4000], "stack": stack[-50:]})
        signal.setitimer(signal.ITIMER_REAL, 0)
        del source


def _analyse(source: Source, head: frames.Json, threads: int, send: partial[None]) -> None:
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
