"""The entry points of the workflow's functions: ``handler.workflow_entry.process`` and others.

The container image is the same for all of them, and each is told by its command which one it is. As
in :mod:`handler.entry`, everything is built while the function starts.
"""

import logging
import os
from functools import cache

from fft_tool.runs.child_process import Process

# Only two of the functions decode images. Their child loads the decoders and transforms while this
# process loads the S3 client.
_DECODES = os.environ.get("_HANDLER", "").endswith((".process", ".analyse"))
_process = Process() if _DECODES else None

from fft_tool.runs.child import Child  # noqa: E402
from fft_tool.runs.machine import hide_memory, usable_cores  # noqa: E402
from fft_tool.stores import s3  # noqa: E402, F401  (loaded now rather than at the first event)
from handler.settings import Settings  # noqa: E402
from handler.workflow import Workflow  # noqa: E402

# As in handler/entry.py.
logging.getLogger("botocore").setLevel(logging.WARNING)
if "LOCAL_AWS" not in os.environ:
    hide_memory()

settings = Settings.from_environ(os.environ)


@cache
def _child() -> Child:
    """The process that decodes images."""
    child = Child(_process)
    child.prepare(
        settings.recipe, memory=settings.child_memory, threads=settings.threads(usable_cores())
    )
    return child


if _DECODES:
    _child()

_workflow = Workflow(settings, child=_child)

plan = _workflow.plan
process = _workflow.process
analyse = _workflow.analyse
finish = _workflow.finish
reject = _workflow.reject
