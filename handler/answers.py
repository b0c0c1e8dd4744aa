"""Answers to events, in the form that each kind of caller expects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from handler.events import Delivery, Kind, Malformed, Message
from handler.result import Result

# Result codes of S3 Batch Operations, which retries temporary failures only.
BATCH_CODES = {
    "done": "Succeeded",
    "ignored": "Succeeded",
    "rejected": "PermanentFailure",
    "missing": "PermanentFailure",
    "superseded": "TemporaryFailure",
    "failed": "TemporaryFailure",
}
LONGEST_RESULT = 1000  # characters of a result that a completion report keeps

Answered = tuple[Message, Sequence[Result]]


def answer(delivery: Delivery, answered: Sequence[Answered]) -> Any:
    """Answer a delivery, given the results of each of its messages.

    Where the caller has no other way to learn of a failure, the first error is raised.
    """
    match delivery.kind:
        case Kind.QUEUE:
            return _to_queue(answered)
        case Kind.BATCH:
            return _to_batch(delivery, answered)
        case Kind.ITEMS:
            return _to_map(answered)
    results = [result for _, results in answered for result in results]
    for result in results:
        if result.outcome == "failed" and result.error:
            raise result.error
    documents = [result.to_json() for result in results]
    return documents[0] if delivery.kind is Kind.DIRECT else {"results": documents}


def _to_queue(answered: Sequence[Answered]) -> dict[str, Any]:
    """List the messages to be delivered again; all others are deleted."""
    failed = [message for message, results in answered if _any_failed(results)]
    return {"batchItemFailures": [{"itemIdentifier": message.identifier} for message in failed]}


def _to_batch(delivery: Delivery, answered: Sequence[Answered]) -> dict[str, Any]:
    return {
        "invocationSchemaVersion": delivery.envelope["invocationSchemaVersion"],
        "treatMissingKeysAs": "TemporaryFailure",
        "invocationId": delivery.envelope["invocationId"],
        "results": [_batch_result(message, results) for message, results in answered],
    }


def _batch_result(message: Message, results: Sequence[Result]) -> dict[str, str]:
    (result,) = results
    malformed = isinstance(result.part, Malformed)
    detail = f"{result.code}: {result.message}" if result.error else result.reason
    return {
        "taskId": message.identifier,
        "resultCode": BATCH_CODES["rejected" if malformed else result.outcome],
        "resultString": f"{result.outcome}: {detail or ', '.join(result.outputs)}"[:LONGEST_RESULT],
    }


def _to_map(answered: Sequence[Answered]) -> dict[str, int]:
    """Count the outcomes; what failed is written beside the results, see handler/items.py."""
    return dict(Counter(result.outcome for _, results in answered for result in results))


def _any_failed(results: Sequence[Result]) -> bool:
    return any(result.outcome == "failed" for result in results)
