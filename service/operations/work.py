"""The job of a run: the workflow of the core, and what each operation alone has changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace

from fft_tool.codec.picture_formats import PICTURE_FORMATS
from fft_tool.errors import FftToolError
from fft_tool.image.presets import Preset
from fft_tool.limits import Limits
from fft_tool.operations.naming import COMBINED, plan_operations
from fft_tool.operations.operation import Operation
from fft_tool.operations.registry import format_operations, parse_operations
from fft_tool.recipe import Recipe
from fft_tool.rendering import DEFAULT
from fft_tool.results import record as records
from fft_tool.results.compared import Compared
from fft_tool.results.outputs import Source
from fft_tool.results.registry import RECORD
from fft_tool.runs.child import Child
from fft_tool.runs.one import Analysed
from fft_tool.stores.base import Store
from fft_tool.stores.memory import MemoryStore
from fft_tool.stores.opening import open_store
from fft_tool.validate import Json
from fft_tool.workflows.manifest import side_of
from fft_tool.workflows.plan import Plan, folder_of, make_plan, manifest_name, parse_recipe
from fft_tool.workflows.run import run_workflow
from fft_tool.workflows.steps import Work
from service.catalogue.assets import source_of
from service.jobs.table import Job
from service.operations.runs import CHANGES, Run, RunFile, find_run, keep_files, note_progress
from service.parts import Parts
from service.settings import Settings

SCREEN = Preset("screen", 1200, 1200)
"""Size of the pictures that the page of a run shows."""

COMPARE = "Compare each operation"
"""The last step, which is not part of the workflow."""

STATES = ("Analyse original", "Process", "Analyse combined", "Finish")
"""Steps of the workflow as the worker does them, named as in the state machine."""

_KEY = "source"  # in the store of the job: names of clients are not trusted


def operate(parts: Parts, job: Job, child: Child) -> None:
    """Do the job of a run. Done twice, it leaves the same rows and blobs as done once."""
    if job.asset_id is None:
        raise ValueError(f"job {job.id} has no asset")
    run = find_run(parts, job.asset_id, job.payload["run_id"], None)
    source = source_of(parts, run.asset_id, None)
    progress = _Progress(parts, run)
    # All results are held in memory until they are kept, beside those of other jobs.
    most = parts.settings.memory_of_an_image // 2
    limits = replace(parts.settings.limits, max_output_bytes=most)
    contained = _Contained(child, lambda _: parts.settings.image_seconds, progress)
    files = _run_on_aws(
        parts.settings, source, run, f"{job.id}-{job.attempts}", progress
    ) or _run_here(source, run, contained, limits)
    progress.enter(COMPARE)
    files += _Changes(contained, source, limits).made(run, {each.name: d for each, d in files})
    keep_files(parts, run, files)
    progress.end()


def _run_here(
    source: Source, run: Run, contained: _Contained, limits: Limits
) -> list[tuple[RunFile, bytes]]:
    """Run the workflow in the child process of the worker."""
    sources, target = MemoryStore(), MemoryStore()
    sources.write(_KEY, source.data)

    def plan() -> Plan:
        return make_plan(source.name, run.operations, {}, sources.stat(_KEY), key=_KEY)

    outcome = run_workflow(sources, target, source.name, limits, plan=plan, work=contained)
    if outcome.error is not None:
        raise outcome.error
    return _files(target, source.name)


def _run_on_aws(
    settings: Settings, source: Source, run: Run, attempt: str, progress: _Progress
) -> list[tuple[RunFile, bytes]] | None:
    """Have the state machine run the workflow, and fetch its results; None if there is none."""
    arn, place, results = (
        settings.workflow_state_machine,
        settings.workflow_input,
        settings.workflow_output,
    )
    if not (arn and place and results):
        return None
    from service.operations.state_machine import StateMachine  # noqa: PLC0415  (loads boto3)

    machine = StateMachine(arn, place, open_store(results))
    name = machine.run(source, run.operations, attempt, progress.take)
    return _files(machine.results, name)


class _Progress:
    """Notes the steps of a run as they are entered."""

    def __init__(self, parts: Parts, run: Run) -> None:
        self._parts, self._run_id = parts, run.run_id
        self._steps: list[Json] = [{"name": name, "status": "waiting"} for name in STATES]

    def enter(self, step: str) -> None:
        """Note that a step has begun, and those before it are done."""
        names = [each["name"] for each in self._steps]
        place = names.index(step) if step in names else len(names)
        done = [{**each, "status": "done"} for each in self._steps[:place]]
        self._note([*done, {"name": step, "status": "running"}, *self._steps[place + 1 :]])

    def take(self, steps: Sequence[Json]) -> None:
        """Note the steps of the state machine."""
        self._note(steps)

    def end(self) -> None:
        """Note that all are done."""
        self._note([{**each, "status": "done"} for each in self._steps])

    def _note(self, steps: Sequence[Json]) -> None:
        self._steps = list(steps)
        last = {"name": COMPARE, "status": "waiting"}
        told = self._steps if self._steps[-1]["name"] == COMPARE else [*self._steps, last]
        note_progress(self._parts, self._run_id, told)


class _Contained(Work):
    """Works on images in the child process of the worker."""

    copies = 2  # here and in the child

    def __init__(self, child: Child, patience: Callable[[int], float], progress: _Progress) -> None:
        super().__init__(on_step=self._step)
        self.child, self.patience, self._progress = child, patience, progress
        self._processed = False

    def operate(
        self, source: Source, operations: tuple[Operation, ...], recipe: Recipe, limits: Limits
    ) -> Analysed:
        """Apply operations; ``recipe`` chooses the frame and the range of values."""
        self._progress.enter("Process")
        self._processed = True
        return self.child.run_operations(
            source,
            format_operations(operations),
            limits,
            frame=recipe.frame,
            value_range=recipe.range,
            patience=self.patience,
        )

    def analyse(self, source: Source, recipe: Recipe, limits: Limits) -> Analysed:
        """Analyse an image."""
        self._progress.enter("Analyse combined" if self._processed else "Analyse original")
        return self.child.run(source, recipe, limits, patience=self.patience)

    def compare(self, first: Source, second: Source, recipe: Recipe, limits: Limits) -> Compared:
        """Compare an image with one that was made from it."""
        return self.child.compare(first, second, recipe, limits, patience=self.patience)

    def _step(self, name: str) -> None:
        if name == "write" and self._processed:
            self._progress.enter("Finish")


class _Changes:
    """Pictures for the page, and numbers of what each operation alone has changed."""

    def __init__(self, work: _Contained, source: Source, limits: Limits) -> None:
        self._work, self._source, self._limits = work, source, limits

    def made(self, run: Run, files: dict[str, bytes]) -> list[tuple[RunFile, bytes]]:
        """Files beside those of the workflow."""
        operations = parse_operations(run.operations)
        names = plan_operations(operations)
        pictures = [self._picture(f"{COMBINED}.png", files[f"{COMBINED}.png"])]
        told = []
        for name, each in zip(names[:-1], operations, strict=True):
            pictures.append(self._picture(name, files[name]))
            told.append({"name": name, "operation": str(each), **self._change(name, files[name])})
        data = json.dumps({"changes": told}, allow_nan=False).encode()
        return [*pictures, _file(CHANGES, "changes", "application/json", data)]

    def _picture(self, name: str, data: bytes) -> tuple[RunFile, bytes]:
        [made] = self._work.child.render(
            Source(name, data), [SCREEN], DEFAULT, self._limits, patience=self._work.patience
        )
        kind = PICTURE_FORMATS[made.format].content_type
        return _file(f"screen/{name}", "screen", kind, made.data)

    def _change(self, name: str, data: bytes) -> Json:
        """Statistics and numbers of one image, and how far it is from the original."""
        recipe, changed = parse_recipe({}), Source(name, data)
        work = self._work
        try:
            analysed = work.child.run(changed, recipe, self._limits, patience=work.patience)
            compared = work.compare(self._source, changed, recipe, self._limits)
        except FftToolError as exc:
            if not exc.permanent:
                raise
            return {"error": exc.public}
        found = next(each for each in analysed.artifacts if each.kind == RECORD)
        record = records.from_bytes(found.data, name=name)
        return {
            "statistics": record["statistics"],
            "side": side_of(record).to_json(),
            "psnr_db": compared.psnr_db,
            "psnr_note": compared.note,
        }


def _files(target: Store, name: str) -> list[tuple[RunFile, bytes]]:
    """Files that the manifest lists, and the manifest."""
    data = target.read(manifest_name(name)).data
    found = [_file("manifest.json", "manifest", "application/json", data)]
    for each in json.loads(data)["files"]:
        stored = target.read(f"{folder_of(name)}/{each['name']}").data
        found.append(_file(each["name"], each["role"], each["content_type"], stored))
    return found


def _file(name: str, role: str, content_type: str, data: bytes) -> tuple[RunFile, bytes]:
    return RunFile(name, role, content_type, len(data), ""), data
