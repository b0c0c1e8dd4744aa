"""What a run gives: artifacts, their names, the record and the certificate."""
