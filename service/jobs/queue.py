"""The queue that wakes workers.

It carries ids of jobs as text, and nobody relies on it: a worker that is woken takes whatever job
is due, and looks for jobs from time to time without being woken. Messages may therefore be lost,
doubled, or left over from yesterday.
"""
