"""All steps of a workflow in a row, started over until they belong to the latest version."""

from __future__ import annotations

from collections.abc import Callable

from fft_tool.errors import FftToolError, NotFound, Superseded
from fft_tool.limits import Limits
from fft_tool.runs.one import Outcome
from fft_tool.stores.base import Store
from fft_tool.workflows.manifest import manifest_name, manifest_step, reject
from fft_tool.workflows.plan import Plan, folder_of, is_latest, make_plan
from fft_tool.workflows.requests import read_request
from fft_tool.workflows.steps import Work, analyse_step, process_step

MOST_RESTARTS = 3
"""How often a workflow is started over for a later version before it is given up."""


def planned(sources: Store, name: str) -> Plan:
    """Make the plan of an image that is in a store with what is asked for it.

    That is its metadata, or a sidecar; see :mod:`fft_tool.workflows.requests`.
    """
    stat = sources.stat(name)
    request = read_request(sources, name, stat)
    return make_plan(name, request.operations, request.recipe, stat)


def run_workflow(
    sources: Store,
    target: Store,
    name: str,
    limits: Limits | None = None,
    *,
    plan: Callable[[], Plan] | None = None,
    work: Work | None = None,
) -> Outcome:
    """Process one image, analyse it before and after, and write the manifest last.

    Every :class:`~fft_tool.errors.FftToolError` becomes part of the outcome. For a source that is
    permanently refused, a manifest says so. A source that is overwritten meanwhile is processed
    again: the last to write has seen the latest version.

    Parameters
    ----------
    sources, target
        Where to read the source, and where to write the folder of its results.
    name
        Name of the source.
    limits
        Limits on the source and on the outputs of each step.
    plan
        Makes the plan for the current version of the source; by default :func:`planned`.
    work
        What is done with the content of images; by default in this process.
    """
    make, work, limits = plan or (lambda: planned(sources, name)), work or Work(), limits or Limits()
    try:
        for _ in range(1 + MOST_RESTARTS):
            outcome, made = _once(sources, target, name, make, limits, work)
            if outcome and (made is None or is_latest(made, make)):
                return outcome
        raise Superseded(
            f"{name}: overwritten {1 + MOST_RESTARTS} times during processing; if every version "
            "is to be processed, use different names"
        )
    except NotFound as exc:
        return Outcome(name, "missing", error=exc)
    except FftToolError as exc:
        return Outcome(name, "failed", error=exc)
