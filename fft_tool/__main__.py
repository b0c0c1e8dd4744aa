"""``python -m fft_tool`` is ``fft-tool``."""

from fft_tool.cli.main import script

if __name__ == "__main__":
    script()
