"""``drop``: upload images, and wait until the function has processed them."""

from __future__ import annotations

import json
import mimetypes
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fft_tool.printable import printable
from fft_tool.recipe import Recipe
from fft_tool.results.naming import RECORD, output_name
from fft_tool.results.outputs import Source
from fft_tool.runs.sources import find_sources
from tools.errors import ToolError
from tools.local_aws.clients import LocalAws
from tools.local_aws.cloud import (
    DEAD_LETTERS,
    LOG_GROUP,
    NAME,
    SECONDS,
    depth,
    settings_of_function,
)
from tools.log_tail import Json, Tail
from tools.say import say

PAUSE = 0.05  # seconds between two requests


@dataclass(frozen=True, slots=True)
class Upload:
    """An uploaded source, with the recipe that applies to it."""

    key: str
    source: Source
    recipe: Recipe
    started: float  # seconds since the epoch

    def matches(self, record: Json) -> bool:
        """Whether a record belongs to this source and recipe.

        The record of a source that is too large to read has no digest, and that of an invalid
        recipe has no recipe.
        """
        source, recipe = record["source"], record["recipe"]
        same_source = source["bytes"] == len(self.source.data) and source["sha256"] in (
            None,
            self.source.sha256,
        )
        return same_source and (recipe is None or recipe["sha256"] == self.recipe.sha256)


class Bucket:
    """The bucket whose uploads the function processes."""

    def __init__(self, aws: LocalAws) -> None:
        self._aws = aws
        self._settings = settings_of_function(aws)

    def drop(self, files: Sequence[str], recipe_texts: Mapping[str, str], seconds: float) -> bool:
        """Upload files, with the keys of a recipe as metadata; True if all of them were processed.

        An invalid recipe or a missing file is an error before anything is uploaded.
        """
        texts = Recipe.parse(recipe_texts).texts()
        metadata = {key: texts[key] for key in recipe_texts}
        recipe = self._settings.recipe_of(metadata, {})
        sources = [ref.read() for ref in find_sources(files, read_stdin=bytes)]
        log = Tail(self._aws.logs, LOG_GROUP, int(time.time() * 1000))
        uploads = [self._put(source, recipe, metadata) for source in sources]
        outcomes = list(self._outcomes(uploads, log, seconds))
        return all(outcome == "done" for outcome in outcomes)

    def _put(self, source: Source, recipe: Recipe, metadata: Mapping[str, str]) -> Upload:
        key = self._settings.input_prefix + source.name
        started = time.time()
        self._aws.s3.put_object(
            Bucket=NAME,
            Key=key,
            Body=source.data,
            ContentType=mimetypes.guess_type(source.name)[0] or "application/octet-stream",
            Metadata=dict(metadata),
        )
        keys = "".join(f"  {name}={text}" for name, text in metadata.items())
        say(f"{printable(source.name)} → s3://{NAME}/{printable(key)}{keys}")
        return Upload(key, source, recipe, started)

    def _outcomes(self, uploads: Sequence[Upload], log: Tail, seconds: float) -> Iterator[str]:
        """Report each upload as soon as its outcome is in the log; yields the outcomes."""
        waiting = {upload.key: upload for upload in uploads}
        deadline = time.monotonic() + seconds
        while waiting:
            for line in log.read():
                summary = line.summary
                upload = summary and waiting.get(summary["key"])
                if summary and upload and self._ends(upload, summary):
                    del waiting[upload.key]
                    deadline = time.monotonic() + seconds
                    yield str(summary["outcome"])
            if waiting and time.monotonic() > deadline:
                raise ToolError(self._no_outcome(list(waiting)))
            time.sleep(PAUSE)

    def _ends(self, upload: Upload, summary: Json) -> bool:
        """Report a log line if it belongs to this upload; True if no other will follow."""
        match summary["outcome"]:
            case "done" | "rejected" as outcome:
                record = self._record(upload)
                belongs = upload.matches(record) if record else outcome == "rejected"
                if belongs:
                    self._report(upload, summary, record)
                return belongs
            case "failed":
                say(f"{_problem(upload, summary)} (it will be retried within {SECONDS} s)")
                return bool(summary["error"]["code"] == "bug")  # every attempt would fail
            case _:
                say(_problem(upload, summary))
                return True

    def _report(self, upload: Upload, summary: Json, record: Json | None) -> None:
        if summary["outcome"] == "rejected":
            say(_problem(upload, summary))
        else:
            logged = datetime.fromisoformat(summary["timestamp"]).timestamp()
            start = ", cold start" if summary["cold"] else ""
            say(
                f"{printable(upload.source.name)}: done {1000 * (logged - upload.started):.0f} ms "
                f"after the upload, {summary['total_ms']:.0f} ms in the function{start}"
            )
        if record:
            names = [entry["name"] for entry in record["artifacts"]]
            for name in (*names, self._record_name(upload)):
                print(self._aws.url(NAME, self._settings.output_prefix + name))

    def _record(self, upload: Upload) -> Json | None:
        """The current record; None if there is none, as for a key that is too long."""
        key = self._settings.output_prefix + self._record_name(upload)
        try:
            answer = self._aws.s3.get_object(Bucket=NAME, Key=key)
        except self._aws.s3.exceptions.NoSuchKey:
            return None
        record: dict[str, Any] = json.loads(answer["Body"].read())
        return record

    def _record_name(self, upload: Upload) -> str:
        return output_name(upload.source.name, RECORD)

    def _no_outcome(self, keys: Sequence[str]) -> str:
        waiting, in_work = depth(self._aws, NAME)
        dead = sum(depth(self._aws, DEAD_LETTERS))
        more = f" and {len(keys) - 1} more" if keys[1:] else ""
        return (
            f"no outcome of {printable(keys[0])}{more} within the time limit: see `make logs` "
            f"(queue: {waiting} waiting, {in_work} in work; dead letters: {dead})"
        )


def _problem(upload: Upload, summary: Json) -> str:
    error = summary.get("error") or {}
    text = ": ".join(filter(None, (error.get("code"), error.get("message"))))
    return f"{printable(upload.source.name)}: {summary['outcome']}: {printable(text)}"
