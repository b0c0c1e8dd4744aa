"""``python -m service`` is ``fft-service``."""

from service.command import script

if __name__ == "__main__":
    script()
