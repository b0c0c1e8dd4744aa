"""All kinds of jobs, and the functions that do them."""

from __future__ import annotations

from service.catalogue import assets
from service.catalogue.work import make_asset
from service.jobs.kinds import Kinds

WORK: Kinds = {assets.KIND: make_asset}
