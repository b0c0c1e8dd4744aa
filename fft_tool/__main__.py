"""``python -m fft_tool`` is ``fft-tool``."""

import sys

from fft_tool.cli import main

if __name__ == "__main__":
    sys.exit(main())
