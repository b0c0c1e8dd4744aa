"""What a kind of job is: a function that does the work of one."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fft_tool.runs.child import Child
from service.jobs.table import Job
from service.parts import Parts

Work = Callable[[Parts, Job, Child], None]
"""Does the work of a job, with a child process for its images, and writes what comes of it.

It may be called again for a job that was done before, or half done, so every result is written by
an upsert on its unique key. Raises :class:`~fft_tool.errors.FftToolError`: a permanent one poisons
the job at once, others are tried again.
"""

Kinds = Mapping[str, Work]
"""Work by kind of job; :data:`service.work.WORK` holds all kinds of the service."""
