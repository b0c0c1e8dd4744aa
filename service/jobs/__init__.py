"""Jobs: the table that holds them, the queue that wakes workers, and the workers.

:mod:`service.jobs.table`
    What can happen to a job, as functions within a transaction. The table is the truth.
:mod:`service.jobs.queue`
    Wakes workers. A lost message costs a second, never a job.
:mod:`service.jobs.worker`
    Takes jobs that are due, and does the work that :mod:`service.work` names for their kind.
:mod:`service.jobs.sweep`
    Finds jobs of workers that died, and removes files that nothing refers to.
"""
