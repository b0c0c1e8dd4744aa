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
from tools.local_aws.cloud import DEAD_LETTERS, depth, settings_of_function
from tools.local_aws.resource import LOG_GROUP, NAME, SECONDS
from tools.log_tail import Json, Tail
from tools.say import say

PAUSE = 0.05  # seconds between two requests for the log
LOOK = 1.0  # seconds between two looks at the bucket
LOOKED_AT = 20  # uploads, the oldest that wait


@dataclass(frozen=True, slots=True)
class Upload:
    """An uploaded source, with the recipe that applies to it."""

    key: str
    source: Source
    recipe: Recipe
    metadata: Mapping[str, str]
    etag: str
    started: float  # seconds since the epoch
    former: str | None  # ETag of the record that was there before

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
        texts = Recipe.parse(recipe_texts, base=Recipe(metadata=True)).texts()
        metadata = {key: texts[key] for key in recipe_texts}
        recipe = self._settings.recipe_of(metadata, {})
        sources = [ref.read() for ref in find_sources(files, stdin=None)]
        log = Tail(self._aws.logs, LOG_GROUP, int(time.time() * 1000))
        uploads = [self._put(source, recipe, metadata) for source in sources]
        outcomes = list(self._outcomes(uploads, log, seconds))
        return all(outcome == "done" for outcome in outcomes)

    def _put(self, source: Source, recipe: Recipe, metadata: Mapping[str, str]) -> Upload:
        key = self._settings.input_prefix + source.name
        former = self._head(self._record_key(source))
        started = time.time()
        answer = self._aws.s3.put_object(
            Bucket=NAME,
            Key=key,
            Body=source.data,
            ContentType=mimetypes.guess_type(source.name)[0] or "application/octet-stream",
            Metadata=dict(metadata),
        )
        keys = "".join(f"  {name}={text}" for name, text in metadata.items())
        say(f"{printable(source.name)} → s3://{NAME}/{printable(key)}{keys}")
        etag = former["ETag"] if former else None
        return Upload(key, source, recipe, metadata, answer["ETag"], started, etag)

    def _outcomes(self, uploads: Sequence[Upload], log: Tail, seconds: float) -> Iterator[str]:
        """Report each upload as soon as its outcome is known; yields the outcomes.

        The log is read first. Since a line may be missing from it, the bucket is checked as well.
        """
        waiting = {upload.key: upload for upload in uploads}
        deadline, look = time.monotonic() + seconds, time.monotonic() + LOOK
        while waiting:
            ended = [
                (upload, outcome)
                for summary in filter(None, (line.summary for line in log.read()))
                if (upload := waiting.get(summary["key"]))
                and (outcome := self._told_by_log(upload, summary))
            ]
            if time.monotonic() > look:
                told = {upload.key for upload, _ in ended}
                first = [upload for key, upload in waiting.items() if key not in told][:LOOKED_AT]
                ended += [
                    (upload, outcome)
                    for upload in first
                    if (outcome := self._told_by_bucket(upload))
                ]
                look = time.monotonic() + LOOK
            for upload, outcome in ended:
                if waiting.pop(upload.key, None):
                    deadline = time.monotonic() + seconds
                    yield outcome
            if waiting and time.monotonic() > deadline:
                raise ToolError(self._no_outcome(list(waiting)))
            time.sleep(PAUSE)

    def _told_by_log(self, upload: Upload, summary: Json) -> str:
        """Report a log line if it belongs to this upload; the outcome if no other line follows."""
        outcome = str(summary["outcome"])
        if outcome == "failed":
            say(f"{_problem(upload, summary)} (it will be retried within {SECONDS} s)")
            return outcome if summary["error"]["code"] == "bug" else ""  # every attempt would fail
        if outcome in ("missing", "ignored"):
            say(_problem(upload, summary))
            return outcome
        record = self._record(upload)
        belongs = upload.matches(record) if record else outcome == "rejected"
        if belongs and outcome != "superseded":
            self._report(upload, summary, record)
            return outcome
        return self._superseded(upload)

    def _told_by_bucket(self, upload: Upload) -> str:
        """Report what record and source say about an upload; the outcome if there is one."""
        written = self._head(self._record_key(upload.source))
        if written and (
            written["ETag"] != upload.former or written["LastModified"].timestamp() > upload.started
        ):
            record = self._record(upload)
            if record and upload.matches(record):
                self._report_record(upload, record)
                return str(record["outcome"])
        return self._superseded(upload)

    def _superseded(self, upload: Upload) -> str:
        """Report an upload that has been overwritten by a later one."""
        there = self._head(upload.key)
        if not there or (there["ETag"], there["Metadata"]) == (upload.etag, upload.metadata):
            return ""
        say(
            f"{printable(upload.source.name)}: superseded: a later upload has replaced it, and the "
            "results will be those of the later one"
        )
        return "superseded"

    def _report_record(self, upload: Upload, record: Json) -> None:
        error = record.get("error") or {}
        told = f": {error.get('code')}: {printable(error.get('message', ''))}" if error else ""
        name = printable(upload.source.name)
        say(f"{name}: {record['outcome']}{told} (according to its record; there is no log line)")
        self._print_links(upload, record)

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
            self._print_links(upload, record)

    def _print_links(self, upload: Upload, record: Json) -> None:
        keys = [self._settings.output_prefix + entry["name"] for entry in record["artifacts"]]
        for key in (*keys, self._record_key(upload.source)):
            print(self._aws.url(NAME, key))

    def _record(self, upload: Upload) -> Json | None:
        """The current record; None if there is none, as for a key that is too long."""
        key = self._record_key(upload.source)
        try:
            answer = self._aws.s3.get_object(Bucket=NAME, Key=key)
        except self._aws.s3.exceptions.NoSuchKey:
            return None
        record: dict[str, Any] = json.loads(answer["Body"].read())
        return record

    def _record_key(self, source: Source) -> str:
        return self._settings.output_prefix + output_name(source.name, RECORD)

    def _head(self, key: str) -> dict[str, Any] | None:
        """What is kept about an object; None if there is none, or its key is too long for one."""
        from botocore.exceptions import ClientError  # noqa: PLC0415  (takes long to import)

        try:
            found: dict[str, Any] = self._aws.s3.head_object(Bucket=NAME, Key=key)
        except ClientError as exc:
            if exc.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 404):
                return None
            raise
        return found

    def _no_outcome(self, keys: Sequence[str]) -> str:
        waiting, in_work = depth(self._aws, NAME)
        dead = sum(depth(self._aws, DEAD_LETTERS))
        more = f" and {len(keys) - 1} more" if keys[1:] else ""
        return (
            f"no outcome of {printable(keys[0])}{more} within the time limit: see `make logs` "
            f"(queue: {waiting} waiting, {in_work} in work; dead letters: {dead}"
            f"{', `make redrive` sends them back' if dead else ''})"
        )


def _problem(upload: Upload, summary: Json) -> str:
    error = summary.get("error") or {}
    text = ": ".join(filter(None, (error.get("code"), error.get("message"))))
    return f"{printable(upload.source.name)}: {summary['outcome']}: {printable(text)}"
