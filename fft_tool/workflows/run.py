"""All steps of a workflow in a row, started over until they belong to the latest version."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fft_tool.errors import FftToolError, NotFound, Superseded
from fft_tool.limits import Limits
from fft_tool.runs.one import Outcome
from fft_tool.stores.base import Store
from fft_tool.workflows.manifest import manifest_step, reject
from fft_tool.workflows.plan import Plan, file_names, is_latest, make_plan, manifest_name
from fft_tool.workflows.requests import read_request
from fft_tool.workflows.steps import COMBINED, Work, analyse_step, process_step

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
    make = plan or (lambda: planned(sources, name))
    steps = _Steps(sources, target, limits or Limits(), work or Work())
    try:
        for _ in range(1 + MOST_RESTARTS):
            known = _known(make)
            try:
                outcome = steps.run(name, known)
            except Superseded:
                continue
            if is_latest(known, make):
                return outcome
        raise Superseded(
            f"{name}: overwritten {1 + MOST_RESTARTS} times during processing; if every version "
            "is to be processed, use different names"
        )
    except NotFound as exc:
        return Outcome(name, "missing", error=exc)
    except FftToolError as exc:
        return Outcome(name, "failed", error=exc)


def _known(make: Callable[[], Plan]) -> Plan | FftToolError:
    """The plan, or the error that refuses to make one."""
    try:
        return make()
    except FftToolError as exc:
        if exc.permanent:
            return exc
        raise


@dataclass(frozen=True, slots=True)
class _Steps:
    """The steps, between two stores."""

    sources: Store
    target: Store
    limits: Limits
    work: Work

    def run(self, name: str, known: Plan | FftToolError) -> Outcome:
        """Take all steps of a plan; an error of the source's own becomes part of the outcome."""
        if not isinstance(known, Plan):
            reject(self.target, name, known)
            return self._rejected(name, known)
        try:
            return self._done(known)
        except FftToolError as exc:
            if not exc.permanent:
                raise
            reject(self.target, known, exc)
            return self._rejected(name, exc)

    def _done(self, plan: Plan) -> Outcome:
        stores = self.sources, self.target
        original = analyse_step(*stores, plan, self.limits, self.work, which="original")
        processed = process_step(*stores, plan, self.limits, self.work)
        combined = analyse_step(
            *stores,
            plan,
            self.limits,
            self.work,
            which="combined",
            combined_sha256=processed.file(COMBINED).sha256,
        )
        self.work.on_step("write")
        manifest = manifest_step(self.target, plan, processed, original, combined)
        return Outcome(
            plan.name,
            "done",
            outputs=file_names(plan.name, plan.operations, plan.recipe),
            record=manifest,
            sha256=original.source_sha256,
            remarks=original.remarks,
        )

    @staticmethod
    def _rejected(name: str, error: FftToolError) -> Outcome:
        return Outcome(name, "rejected", outputs=(manifest_name(name),), error=error)
