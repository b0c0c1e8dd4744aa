"""Bounded load on the service and its peers, for docs/benchmarks-service.md."""
