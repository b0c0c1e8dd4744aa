"""One HTML page of the records of a run."""
