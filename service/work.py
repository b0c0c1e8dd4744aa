"""All kinds of jobs, and the functions that do them."""

from __future__ import annotations

from service.jobs.kinds import Kinds

WORK: Kinds = {}
