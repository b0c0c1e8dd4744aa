"""The entry point of the scan, ``handler.scan_entry.scan``, built once while the function starts.

It is another function of the same image, with rights of its own: it reads sources and writes parts.
"""

from __future__ import annotations

import os

from fft_tool.runs.child_process import Process

# The child loads the decoders and transforms while this process loads the S3 client.
process = Process()

from fft_tool.results import table  # noqa: E402, F401  (loaded now rather than at the first event)
from fft_tool.runs.child import Child  # noqa: E402
from fft_tool.runs.machine import hide_memory, usable_cores  # noqa: E402
from fft_tool.stores import s3  # noqa: E402, F401  (as above)
from handler.function import bucket_store  # noqa: E402
from handler.scan import Scan  # noqa: E402
from handler.settings import Settings  # noqa: E402

# The local AWS finds its processes by their environment, and has no credentials to protect.
if "LOCAL_AWS" not in os.environ:
    hide_memory()

settings = Settings.from_environ(os.environ)
child = Child(process)
child.prepare(
    settings.recipe, memory=settings.child_memory, threads=settings.threads(usable_cores())
)
scan = Scan(settings, child=child, open_bucket=bucket_store)
