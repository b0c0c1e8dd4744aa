"""A whole AWS on the laptop, to try the function in: ``make up``, ``drop``, ``logs``, ``down``.

A tool for development, never part of the wheel or of the container image. ``ministack`` gives S3,
SQS, Lambda and CloudWatch Logs in one process on loopback, without an account and without Docker.

=============  ====================================================================
emulator       its process, and the folder with everything that it keeps
front          what stands before it, so that nobody else is answered
aws            clients of it, and of nothing else
cloud          what is made in it: bucket, queues, function and what connects them
package        the function's code, zipped
up, drop       what the commands of these names do
logs           the function's log group, read and shown
=============  ====================================================================
"""
