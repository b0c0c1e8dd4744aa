"""The report: one HTML page that shows the records of a run."""
