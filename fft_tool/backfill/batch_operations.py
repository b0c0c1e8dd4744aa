"""The engine ``batch``: a job of S3 Batch Operations, which invokes the function for each object.

The requests follow Amazon's documentation and are checked against botocore's model of the service.
No emulator has Batch Operations, so this engine has not been run for real.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, unquote_plus

from fft_tool.backfill.aws import Aws
from fft_tool.backfill.parts import FOLDER, Line
from fft_tool.backfill.run import Order, Progress, Started
from fft_tool.errors import EngineRefused, FftToolError
from fft_tool.runs.sources import SUFFIXES
from fft_tool.stores.base import Store
from fft_tool.stores.opening import open_store

FUNCTION = re.compile(r"arn:([a-z-]+):lambda:([a-z0-9-]+):(\d{12}):function:[\w-]{1,64}(:[\w$-]+)?")
ROLE = re.compile(r"arn:[a-z-]+:iam::\d{12}:role/[\w+=,.@/-]+")
JOB = re.compile(r"arn:[a-z-]+:s3:([a-z0-9-]+):(\d{12}):job/([0-9a-zA-Z-]{5,36})")

PRIORITY = 10
SKIP_EXISTING = "skip-existing"
ENDED = ("Complete", "Failed", "Cancelled")
REPORTS = f"{FOLDER}reports"

_REPORT_COLUMNS = 7  # bucket, key, version, status, error code, HTTP status, result


class BatchOperations:
    """Jobs that invoke one function.

    ``role`` is what S3 assumes: it may invoke the function, read lists of keys and write reports.
    ``profile`` is that of :func:`~fft_tool.stores.opening.open_store`.
    """

    def __init__(self, function: str, role: str, *, profile: bool = False) -> None:
        found = FUNCTION.fullmatch(function)
        if found is None:
            raise EngineRefused(f"{function!r} is not the ARN of a function")
        if not ROLE.fullmatch(role):
            raise EngineRefused(f"{role!r} is not the ARN of a role")
        self._function, self._role, self._profile = function, role, profile
        self._partition, region, self._account = found[1], found[2], found[3]
        self._aws = Aws(region)

    @classmethod
    def of_job(cls, run_id: str, *, profile: bool = False) -> BatchOperations:
        """Engine of a job, given its ID, which is the ARN of the job."""
        job = _described(run_id)
        function = job["Operation"]["LambdaInvoke"]["FunctionArn"]
        return cls(function, job["RoleArn"], profile=profile)

    name = "batch"

    @property
    def deployment(self) -> Mapping[str, str]:
        """The flags that name the function and the role."""
        return {"--function": self._function, "--role": self._role}

    def start(self, order: Order) -> Started:
        """Create a job; the token makes S3 return the same job if it was created before."""
        self._check_prefix(order.prefix)
        request = self.request(order)
        answer = self._aws.ask(self._aws.control.create_job, **request)
        region = self._function.split(":")[3]
        return Started(f"arn:{self._partition}:s3:{region}:{self._account}:job/{answer['JobId']}")

    def request(self, order: Order) -> dict[str, Any]:
        """Request that creates a job; a list of keys is written first."""
        if order.table:
            raise EngineRefused(
                "--table needs --engine map: S3 Batch Operations invokes the function for each "
                "object alone"
            )
        arguments = dict(order.recipe)
        if order.skip_existing:
            arguments[SKIP_EXISTING] = "yes"
        invoke: dict[str, Any] = {
            "FunctionArn": self._function,
            "InvocationSchemaVersion": "2.0",
        }
        if arguments:
            invoke["UserArguments"] = arguments
        return {
            "AccountId": self._account,
            "ConfirmationRequired": False,  # whoever starts it has confirmed it
            "Operation": {"LambdaInvoke": invoke},
            "Report": {
                "Bucket": self._bucket_arn(order.bucket),
                "Format": "Report_CSV_20180820",
                "Enabled": True,
                "Prefix": REPORTS,
                "ReportScope": "FailedTasksOnly",
            },
            "ClientRequestToken": f"fft-backfill-{order.run}",
            "Description": f"fft-tool backfill, run {order.run}",
            "Priority": PRIORITY,
            "RoleArn": self._role,
            **self._manifest(order),
        }

    def progress(self, run_id: str) -> Progress:
        """How far a job is."""
        job = _described(run_id)
        summary = job.get("ProgressSummary", {})
        reasons = [
            f"{e.get('FailureCode')}: {e.get('FailureReason')}"
            for e in job.get("FailureReasons", ())
        ]
        status = job["Status"]
        fault = "; ".join(reasons) or status.lower() if status in ("Failed", "Cancelled") else ""
        return Progress(
            summary.get("TotalNumberOfTasks") if status not in ("New", "Preparing") else None,
            summary.get("NumberOfTasksSucceeded", 0),
            summary.get("NumberOfTasksFailed", 0),
            status in ENDED,
            fault,
        )

    def order(self, run_id: str) -> Order:
        """What a job was created for, as far as S3 tells."""
        job = _described(run_id)
        invoke = job["Operation"]["LambdaInvoke"]
        arguments = dict(invoke.get("UserArguments") or {})
        skip = arguments.pop(SKIP_EXISTING, "no") == "yes"
        bucket, prefix = job["Report"]["Bucket"].rpartition(":")[2], ""
        generator = (job.get("ManifestGenerator") or {}).get("S3JobManifestGenerator")
        if generator:
            bucket = generator["SourceBucket"].rpartition(":")[2]
            named = generator.get("Filter", {}).get("KeyNameConstraint", {})
            prefix = next(iter(named.get("MatchAnyPrefix", ())), "")
        run = str(job.get("Description", "")).rpartition(" ")[2]
        return Order(bucket, prefix, run, arguments, skip_existing=skip)

    def failures(self, run_id: str) -> Iterator[Line]:
        """The objects that failed, from the job's report."""
        job = _described(run_id)
        bucket = job["Report"]["Bucket"].rpartition(":")[2]
        store = open_store(f"s3://{bucket}", profile=self._profile)
        job_id = JOB.fullmatch(run_id)
        if job_id is None or not job.get("ProgressSummary", {}).get("NumberOfTasksFailed"):
            return
        name = f"{job['Report']['Prefix']}/job-{job_id[3]}/manifest.json"
        listed = json.loads(store.read(name).data)
        for result in listed["Results"]:
            yield from failures_in(store.read(result["Key"]).data)

    def _check_prefix(self, prefix: str) -> None:
        """Raise an error if the function would ignore all objects below a prefix.

        S3 would report them as successes. Whoever may not see the function's settings is not told.
        """
        functions = self._aws.functions
        try:
            found = self._aws.ask(functions.get_function_configuration, FunctionName=self._function)
        except FftToolError:
            return
        told: Mapping[str, str] = found.get("Environment", {}).get("Variables", {})
        own = told.get("FFT_INPUT_PREFIX", "input/")
        if not (prefix.startswith(own) or own.startswith(prefix)):
            raise EngineRefused(
                f"{prefix or 'the bucket'}: the function analyses only what is below {own}"
            )

    def _manifest(self, order: Order) -> dict[str, Any]:
        """Say which objects: those below the prefix, which S3 lists itself, or a list of keys."""
        if order.keys is None:
            suffixes = [*SUFFIXES, *(suffix.upper() for suffix in SUFFIXES)]
            names: dict[str, Any] = {"MatchAnySuffix": suffixes}
            if order.prefix:
                names["MatchAnyPrefix"] = [order.prefix]
            generator = {
                "ExpectedBucketOwner": self._account,
                "SourceBucket": self._bucket_arn(order.bucket),
                "EnableManifestOutput": False,
                "Filter": {"KeyNameConstraint": names},
            }
            return {"ManifestGenerator": {"S3JobManifestGenerator": generator}}
        name = f"{FOLDER}{order.run}/keys.csv"
        etag = _write_manifest(self._store(order.bucket), name, order)
        return {
            "Manifest": {
                "Spec": {"Format": "S3BatchOperations_CSV_20180820", "Fields": ["Bucket", "Key"]},
                "Location": {
                    "ObjectArn": f"{self._bucket_arn(order.bucket)}/{name}",
                    "ETag": etag,
                },
            }
        }

    def _store(self, bucket: str) -> Store:
        return open_store(f"s3://{bucket}", profile=self._profile)

    def _bucket_arn(self, bucket: str) -> str:
        return f"arn:{self._partition}:s3:::{bucket}"


def _described(run_id: str) -> dict[str, Any]:
    """What S3 tells of a job."""
    job = JOB.fullmatch(run_id)
    if job is None:
        raise EngineRefused(f"{run_id!r} is not the ARN of a job of S3 Batch Operations")
    aws = Aws(job[1])
    answer = aws.ask(aws.control.describe_job, AccountId=job[2], JobId=job[3])
    found: dict[str, Any] = answer["Job"]
    return found


def manifest(bucket: str, keys: tuple[str, ...]) -> bytes:
    """List of keys as S3 Batch Operations reads it: CSV without a header, the keys URL-encoded."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\n")
    writer.writerows((bucket, quote(key, safe="/", errors="surrogatepass")) for key in keys)
    return file.getvalue().encode()


def failures_in(report: bytes) -> Iterator[Line]:
    """Objects in a completion report, whose last column is what the function said."""
    for row in csv.reader(io.StringIO(report.decode())):
        if len(row) != _REPORT_COLUMNS or row[3] == "succeeded":
            continue
        outcome, _, rest = row[6].partition(": ")
        code, _, message = rest.partition(": ")
        if outcome not in ("rejected", "missing", "failed", "superseded"):
            outcome, code, message = "failed", row[4], row[6]
        yield Line(unquote_plus(row[1]), outcome, code, message)


def _write_manifest(store: Store, name: str, order: Order) -> str:
    store.write(name, manifest(order.bucket, order.keys or ()), content_type="text/csv")
    return (store.stat(name).etag or "").strip('"')
