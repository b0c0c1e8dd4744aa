"""Convergence under chaos: the real function, moto's S3, and injected faults between them.

Real are the function, in several processes with Amazon's own runtime client, and the S3 server of
moto, in a separate process over HTTP. Simulated are the queue, with the semantics of SQS
(:mod:`~tests.system.chaos.queue`), and the faults, which a proxy in front of S3 injects
(:mod:`~tests.system.chaos.proxy`). Every decision follows from one seed
(:mod:`~tests.system.chaos.dice`).
"""
