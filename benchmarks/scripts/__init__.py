"""Scripts that the benchmarks run as separate processes."""
