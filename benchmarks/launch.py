"""Run one command; report its wall time and peak memory.

``python -I -S launch.py REPORT COMMAND…`` writes "seconds bytes" to the file REPORT.

The peak memory that the system reports for a process is never below that of the process that
started it. The benchmarks use hundreds of megabytes, so this small process starts the command.
"""

import os
import sys
import time


def main() -> int:
    """Start the command, wait for it, and give its exit code."""
    report, *command = sys.argv[1:]
    start = time.perf_counter()
    child = os.posix_spawnp(command[0], command, os.environ)
    _, status, usage = os.wait4(child, 0)
    seconds = time.perf_counter() - start
    unit = 1 if sys.platform == "darwin" else 1024
    with open(report, "w", encoding="ascii") as file:  # noqa: PTH123  (pathlib costs memory)
        file.write(f"{seconds} {usage.ru_maxrss * unit}")
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main())
