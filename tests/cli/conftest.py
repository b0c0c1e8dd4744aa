"""What the tests of the command line share."""

from __future__ import annotations

import pytest

from fft_tool.cli.main import main
from tests.support.command import Finished, Run


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command line in this process, which is faster.

    Several words are passed as they are; a single text is a command line, split at white space.
    """

    def run_here(*words: str) -> Finished:
        try:
            code = main(words[0].split() if len(words) == 1 else words)
        except SystemExit as exc:
            code = int(str(exc.code))
        out, err = capsys.readouterr()
        return Finished(code, out.encode(), err)

    return run_here
