"""``drop``: upload images, and wait for what the function makes of these very uploads."""

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
from tools.local_aws.aws import Aws
from tools.local_aws.cloud import DEAD_LETTERS, NAME, SECONDS, depth, settings_of_function
from tools.local_aws.errors import LocalError
from tools.local_aws.logs import Json, Tail
from tools.local_aws.say import say

PAUSE = 0.05  # seconds between two looks


@dataclass(frozen=True, slots=True)
class Upload:
    """A source that has been put into the bucket, and the recipe that it is to be done by."""

    key: str
    source: Source
    recipe: Recipe
    began: float

    def is_told_of_by(self, record: Json) -> bool:
        """Whether a record is about this source and recipe.

        A source that is refused by its size has not been read, a recipe that is refused is none.
        """
        of, by = record["source"], record["recipe"]
        same = of["bytes"] == len(self.source.data) and of["sha256"] in (None, self.source.sha256)
        return same and (by is None or by["sha256"] == self.recipe.sha256)


class Bucket:
    """The bucket with the function behind it: takes images, and tells what became of them."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self._settings = settings_of_function(aws)

    def drop(self, files: Sequence[str], wishes: Mapping[str, str], seconds: float) -> bool:
        """Upload files with a recipe's keys as metadata; tells whether all came out well.

        Faults of the recipe, or files that are not there, are told before anything is uploaded.
        """
        texts = Recipe.parse(wishes).texts()
        metadata = {key: texts[key] for key in wishes}
        recipe = self._settings.recipe_of(metadata, {})
        sources = [ref.read() for ref in find_sources(files, read_stdin=bytes)]
        log = Tail(self._aws, int(time.time() * 1000))
        uploads = [self._put(source, recipe, metadata) for source in sources]
        outcomes = list(self._outcomes(uploads, log, seconds))
        return all(outcome == "done" for outcome in outcomes)

    def _put(self, source: Source, recipe: Recipe, metadata: Mapping[str, str]) -> Upload:
        key = self._settings.input_prefix + source.name
        began = time.time()
        self._aws.s3.put_object(
            Bucket=NAME,
            Key=key,
            Body=source.data,
            ContentType=mimetypes.guess_type(source.name)[0] or "application/octet-stream",
            Metadata=dict(metadata),
        )
        wishes = "".join(f"  {name}={text}" for name, text in metadata.items())
        say(f"{printable(source.name)} → s3://{NAME}/{printable(key)}{wishes}")
        return Upload(key, source, recipe, began)

    def _outcomes(self, uploads: Sequence[Upload], log: Tail, seconds: float) -> Iterator[str]:
        """Tell of each upload as its end is logged, and give the outcomes."""
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
                raise LocalError(self._nothing_came(list(waiting)))
            time.sleep(PAUSE)

    def _ends(self, upload: Upload, summary: Json) -> bool:
        """Tell what the log says of a key, if it is about this upload; whether that is the end."""
        match summary["outcome"]:
            case "done" | "rejected" as outcome:
                record = self._record(upload)
                about = upload.is_told_of_by(record) if record else outcome == "rejected"
                if about:
                    self._tell(upload, summary, record)
                return about
            case "failed":
                say(f"{_problem(upload, summary)} (it is tried again within {SECONDS} s)")
                return bool(summary["error"]["code"] == "bug")  # not worth waiting for
            case _:
                say(_problem(upload, summary))
                return True

    def _tell(self, upload: Upload, summary: Json, record: Json | None) -> None:
        if summary["outcome"] == "rejected":
            say(_problem(upload, summary))
        else:
            logged = datetime.fromisoformat(summary["timestamp"]).timestamp()
            start = ", cold start" if summary["cold"] else ""
            say(
                f"{printable(upload.source.name)}: done {1000 * (logged - upload.began):.0f} ms "
                f"after it was sent, {summary['total_ms']:.0f} ms in the function{start}"
            )
        if record:
            names = [entry["name"] for entry in record["artifacts"]]
            for name in (*names, self._record_name(upload)):
                print(self._aws.url(NAME, self._settings.output_prefix + name))

    def _record(self, upload: Upload) -> Json | None:
        """The record that is there now, if there is one: for too long a key there is none."""
        key = self._settings.output_prefix + self._record_name(upload)
        try:
            answer = self._aws.s3.get_object(Bucket=NAME, Key=key)
        except self._aws.s3.exceptions.NoSuchKey:
            return None
        record: dict[str, Any] = json.loads(answer["Body"].read())
        return record

    def _record_name(self, upload: Upload) -> str:
        return output_name(upload.source.name, RECORD)

    def _nothing_came(self, keys: Sequence[str]) -> str:
        waiting, in_work = depth(self._aws, NAME)
        dead = sum(depth(self._aws, DEAD_LETTERS))
        more = f" and {len(keys) - 1} more" if keys[1:] else ""
        return (
            f"nothing came of {printable(keys[0])}{more}: see `make logs` "
            f"(queue: {waiting} waiting, {in_work} in work; dead letters: {dead})"
        )


def _problem(upload: Upload, summary: Json) -> str:
    error = summary.get("error") or {}
    text = ": ".join(filter(None, (error.get("code"), error.get("message"))))
    return f"{printable(upload.source.name)}: {summary['outcome']}: {printable(text)}"
