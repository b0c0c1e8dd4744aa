"""The entry point of the Lambda, ``handler.entry.handle``, made once while the function starts.

The one module in which something is made at import: that is when Lambda gives a function its
processors for free, and a setting that is wrong has to be told before an event is taken.
"""

import logging
import os

from fft_tool.runs.child_process import Process

# It loads what decodes and transforms, while this process loads what speaks with S3.
process = Process()

from fft_tool.runs.child import Child  # noqa: E402
from fft_tool.runs.machine import hide_memory, usable_cores  # noqa: E402
from fft_tool.stores import s3  # noqa: E402, F401  (loaded now rather than at the first event)
from handler.function import Function  # noqa: E402
from handler.settings import Settings  # noqa: E402

# Where it found its credentials need not be logged; it is used for keys that only it can express.
logging.getLogger("botocore").setLevel(logging.WARNING)

# On a laptop there are no credentials, and the local AWS looks for its processes.
if "LOCAL_AWS" not in os.environ:
    hide_memory()

settings = Settings.from_environ(os.environ)
child = Child(process)
child.prepare(
    settings.recipe, memory=settings.child_memory, threads=settings.threads(usable_cores())
)
handle = Function(settings, child=child)
