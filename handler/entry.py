"""What Lambda is pointed at: ``handler.entry.handle``, made once, while the function starts.

The one module in which something is made at import: that is when Lambda gives a function its
processors for free, and a setting that is wrong has to be told before an event is taken.
"""

import logging
import os

# Nothing here multiplies matrices: one thread pool less to start. numpy reads it when it is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from fft_tool.machine import usable_cores
from fft_tool.pipeline import warm_up
from handler.function import Function
from handler.settings import Settings

# That it has found its credentials is no news; it is there for keys that only it can express.
logging.getLogger("botocore").setLevel(logging.WARNING)

settings = Settings.from_environ(os.environ)
warm_up(settings.recipe)
handle = Function(settings, cores=usable_cores())
