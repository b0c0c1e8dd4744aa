"""Convergence under chaos: the real function, a foreign S3, and between them all that can fail.

What is real: the function, in several processes with Amazon's own client; S3, moto's, in a process
of its own and over HTTP. What is simulated: the queue (:mod:`~tests.system.chaos.queue`, with the
semantics of SQS), and the chaos, which enters where S3 is reached
(:mod:`~tests.system.chaos.proxy`). Every decision comes from one seed
(:mod:`~tests.system.chaos.dice`).
"""
