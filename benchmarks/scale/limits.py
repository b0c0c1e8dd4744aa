"""How AWS limits and scales its services, as it documents them, and what had to be assumed."""

from __future__ import annotations

from dataclasses import dataclass

_DOCS = "https://docs.aws.amazon.com"
_LAMBDA = f"{_DOCS}/lambda/latest/dg"


@dataclass(frozen=True, slots=True)
class Limit:
    """A number that AWS documents."""

    value: float
    meaning: str
    page: str


# Lambda's pollers of a standard queue.
FIRST_POLLERS = Limit(
    5,
    "concurrent batches with which Lambda begins to process a standard queue",
    f"{_LAMBDA}/services-sqs-scaling.html",
)
POLLERS_PER_MINUTE = Limit(
    300, "concurrent batches added per minute while messages remain", FIRST_POLLERS.page
)
MOST_POLLERS = Limit(1000, "concurrent batches of one queue at most", FIRST_POLLERS.page)
VISIBILITY_TIMEOUTS = Limit(
    6,
    "timeouts of the function that the visibility timeout should be",
    f"{_LAMBDA}/services-sqs-configure.html",
)
ACCOUNT_CONCURRENCY = Limit(
    1000,
    "concurrent invocations of all functions of an account and region; can be raised",
    f"{_LAMBDA}/gettingstarted-limits.html",
)
ENVIRONMENTS_PER_10_SECONDS = Limit(
    1000, "new environments of a function in 10 seconds", f"{_LAMBDA}/scaling-behavior.html"
)

# The queue.
IN_FLIGHT = Limit(
    120_000,
    "messages of a standard queue that are received and neither deleted nor visible again",
    f"{_DOCS}/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html",
)

# S3.
_S3_RATES = f"{_DOCS}/AmazonS3/latest/userguide/optimizing-performance.html"
PUTS = Limit(
    3500, "PUT, COPY, POST or DELETE requests per second and partitioned prefix", _S3_RATES
)
GETS = Limit(5500, "GET or HEAD requests per second and partitioned prefix", _S3_RATES)

# Step Functions.
MAP_CHILDREN = Limit(
    10_000,
    "child executions of a Distributed Map at a time",
    f"{_DOCS}/step-functions/latest/dg/state-map-distributed.html",
)

LIMITS = (
    *(FIRST_POLLERS, POLLERS_PER_MINUTE, MOST_POLLERS, VISIBILITY_TIMEOUTS, ACCOUNT_CONCURRENCY),
    *(ENVIRONMENTS_PER_10_SECONDS, IN_FLIGHT, PUTS, GETS, MAP_CHILDREN),
)

# What AWS does not document, and what was not measured. Seconds.
REQUEST = 0.010  # one request to S3 within a region
HANDOVER = 0.020  # receiving a batch and invoking the function: the function itself does not wait
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0  # between a poller's attempts to invoke when throttled
SHUFFLE = 2.0  # by how much a standard queue delivers out of order


def throttled_attempts(visibility: float) -> list[float]:
    """Seconds after receiving a batch at which a throttled poller tries to invoke the function.

    Lambda documents that it tries again until the visibility timeout has passed, but not how often.

    >>> throttled_attempts(60)
    [0.0, 1.0, 3.0, 7.0, 15.0, 31.0]
    """
    found, moment, pause = [], 0.0, FIRST_PAUSE
    while moment < visibility:
        found.append(moment)
        moment += pause
        pause = min(2 * pause, LONGEST_PAUSE)
    return found
