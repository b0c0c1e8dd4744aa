"""``redrive``: send the dead letters back into the queue.

In an AWS account SQS does that by itself (``start-message-move-task``), which the emulator cannot.
"""

from __future__ import annotations

from tools.local_aws.clients import LocalAws
from tools.local_aws.cloud import DEAD_LETTERS, NAME

AT_ONCE = 10  # messages, a limit of SQS


def redrive(aws: LocalAws) -> int:
    """Move all dead letters; returns how many there were.

    A message is deleted only when it is in the queue, so that none is lost if this breaks off.
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
