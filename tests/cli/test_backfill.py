"""The command backfill: wrong usage is told before anything is asked of AWS."""

from __future__ import annotations

from pathlib import Path

import pytest

from fft_tool.backfill.parts import Line
from fft_tool.cli.failures import read_keys
from fft_tool.cli.main import main

MACHINE = "arn:aws:states:eu-central-1:111122223333:stateMachine:spectra-backfill"
FUNCTION = "arn:aws:lambda:eu-central-1:111122223333:function:spectra"
HERE = ("--state-machine", MACHINE)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["s3://bucket/input"], "which state machine? Name it with --state-machine ARN or"),
        (["s3://bucket/input", "--engine", "batch"], "which function? Name it with --function"),
        (["s3://bucket/in", "--engine", "batch", "--function", FUNCTION], "which role?"),
        (["folder", *HERE], "folder: should be s3://bucket/prefix; --engine dask takes others"),
        (["s3://bucket/in", "another", *HERE], "unexpected another"),
        (["status"], "status: name the run: fft-tool backfill status ID"),
        (["s3://b/in", *HERE, "--recipe", "bits=12"], "--recipe: bits='12': should be 8"),
        (["s3://b/in", *HERE, "--recipe", "bits"], "--recipe: bits='': should be key=value"),
        (["s3://b/in", *HERE, "--recipe", "filter=mask:a.png"], "masks are not accepted here"),
        (["folder", "--engine", "dask", "--recipe", "filter=mask:a.png"], "there is no such file"),
        (["s3://b/in", *HERE, "--recipe", "metadata=no"], "--recipe metadata=no: the record"),
        (["s3://b/in", *HERE, "--table", "a.csv"], "--table a.csv: should end in .parquet"),
        (["s3://b/in", *HERE, "--table", "a.parquet", "--recipe", "phase=yes"], "recipe phase:"),
        (["s3://b/in", *HERE, "--table", "a.parquet", "--skip-existing"], "--skip-existing: a"),
        (["s3://b/in", "--engine", "batch", "--table", "a.parquet"], "needs --engine map or dask"),
        (["s3://b/in", *HERE, "--engine", "lambda"], "should be one of batch, map, dask"),
        (["folder", "--engine", "dask"], "name its scheduler with --cluster tcp://"),
        (["folder", "--engine", "dask", "--cluster", "tcp://x:1"], "either where results go"),
        (["s3://b/in", "--terraform", "nowhere"], "--terraform nowhere: "),
    ],
)
def test_wrong_usage_is_explained(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code = main(["backfill", *words])
    except SystemExit as exc:
        code = int(str(exc.code))
    assert code == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ["s3://b/in", "--state-machine", "spectra"],
            "'spectra' is not the ARN of a state machine",
        ),
        (["status", "run-1"], "'run-1' is not the ARN of an execution"),
        (["s3://b/in", *HERE, "--keys", "nowhere.txt"], "--keys nowhere.txt: no such file"),
    ],
)
def test_what_is_not_there_is_named(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["backfill", *words]) == 1
    assert told in capsys.readouterr().err


@pytest.mark.parametrize("missing", ["boto3", "pyarrow", "distributed"])
def test_a_missing_package_is_named_with_the_way_to_install_it(
    missing: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    import importlib.util  # noqa: PLC0415  (what is changed here)

    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == missing else find(name)
    )
    (tmp_path / "a.png").write_bytes(b"")
    words = {
        "boto3": ["s3://bucket/input", *HERE],
        "pyarrow": ["s3://bucket/input", *HERE, "--table", "a.parquet"],
        "distributed": [str(tmp_path), "--engine", "dask", "--cluster", "tcp://x:1", "-o", "out"],
    }[missing]
    assert main(["backfill", *words]) == 1
    extra = {"boto3": "aws", "pyarrow": "parquet", "distributed": "dask"}[missing]
    assert f"pip install 'fft-pipeline[{extra}]'" in capsys.readouterr().err


def test_keys_that_failed_are_read_back_as_they_were(tmp_path: Path) -> None:
    from argparse import Namespace  # noqa: PLC0415  (only this needs it)

    from fft_tool.cli.failures import report_failures  # noqa: PLC0415  (likewise)

    keys = ["input/a b.png", 'input/"quoted".png', '"input".png', "input/line\nbreak.png", "ü.png"]
    file = tmp_path / "failed.txt"
    options = Namespace(failures=str(file), quiet=True)
    lines = [Line(key, "failed", "bug", "no") for key in keys]
    assert report_failures(options, "run", lines, lambda name: name) == 1
    assert read_keys(str(file)) == keys
