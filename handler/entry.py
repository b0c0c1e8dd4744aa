"""The entry point of the Lambda, ``handler.entry.handle``, built once while the function starts.

This is the only module that does work at import: during initialisation Lambda gives a function more
processor time than its memory setting pays for, and a wrong setting has to be reported before the
first event.
"""

import logging
import os

from fft_tool.runs.child_process import Process

# The child loads the decoders and transforms while this process loads the S3 client.
process = Process()

from fft_tool.runs.child import Child  # noqa: E402
from fft_tool.runs.machine import hide_memory, usable_cores  # noqa: E402
from fft_tool.stores import s3  # noqa: E402, F401  (loaded now rather than at the first event)
from handler.function import Function  # noqa: E402
from handler.settings import Settings  # noqa: E402

# botocore, used only for keys that obstore cannot express, logs where it found its credentials.
logging.getLogger("botocore").setLevel(logging.WARNING)

# The local AWS finds its processes by their environment, and has no credentials to protect.
if "LOCAL_AWS" not in os.environ:
    hide_memory()

settings = Settings.from_environ(os.environ)
child = Child(process)
child.prepare(
    settings.recipe, memory=settings.child_memory, threads=settings.threads(usable_cores())
)
handle = Function(settings, child=child)
