"""Results of a run: artifacts, their names, the record and the certificate."""
