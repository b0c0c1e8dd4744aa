"""``redrive``: send the dead letters back to the queue.

In an AWS account SQS does this (``start-message-move-task``); the emulator does not support it.
"""

from __future__ import annotations

from tools.local_aws.clients import LocalAws
from tools.local_aws.cloud import DEAD_LETTERS
from tools.local_aws.resource import NAME

AT_ONCE = 10  # messages, the limit of SQS


def redrive(aws: LocalAws) -> int:
    """Move all dead letters, and return their number.

    A message is deleted after it has been sent, so none is lost if this is interrupted.
    """
    sqs = aws.sqs
    queue, dead = (sqs.get_queue_url(QueueName=name)["QueueUrl"] for name in (NAME, DEAD_LETTERS))
    count = 0
    while found := sqs.receive_message(QueueUrl=dead, MaxNumberOfMessages=AT_ONCE).get("Messages"):
        for message in found:
            sqs.send_message(QueueUrl=queue, MessageBody=message["Body"])
            sqs.delete_message(QueueUrl=dead, ReceiptHandle=message["ReceiptHandle"])
            count += 1
    return count
