"""A local AWS to try the function in: ``make up``, ``drop``, ``logs``, ``redrive``, ``down``.

``ministack`` provides S3, SQS, Lambda and CloudWatch Logs in one process on loopback, without an
account and without Docker.

===============  ====================================================================
emulator         its process, and the folder with all its files
front            an ASGI application in front of it that refuses requests without the key
clients          boto3 clients that can reach only this emulator
resource         what resources are made of
cloud            the resources: bucket, queues, function, and their connections
workflow         the workflow's functions, state machine and rule
state_machines   state machines from the definitions that Terraform uses
package          the function's code as a zip file
up, drop, …      the commands of these names
===============  ====================================================================
"""
