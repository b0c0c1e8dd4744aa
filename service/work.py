"""All kinds of jobs, and the functions that do them."""

from __future__ import annotations

from service.catalogue import assets
from service.catalogue.work import make_asset
from service.jobs.kinds import Kinds
from service.operations import runs
from service.operations.work import operate
from service.products import crops
from service.products.work import make_smart_crop

WORK: Kinds = {assets.KIND: make_asset, crops.KIND: make_smart_crop, runs.KIND: operate}
