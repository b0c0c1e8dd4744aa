"""Settings of the functions for batches: all faults at once, and no secrets in messages."""

from __future__ import annotations

import pytest

from fft_tool.batches.shape import JobShape
from fft_tool.errors import SettingsError
from handler.batches_settings import VARIABLES, BatchesSettings
from handler.settings import Settings

LOGIN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds!db-0a1b-AbCdEf"
MACHINE = "arn:aws:states:eu-central-1:123456789012:stateMachine:fft-batches"


def faults(**variables: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        BatchesSettings.from_environ(variables)
    return caught.value.faults


def test_everything_has_a_default() -> None:
    settings = BatchesSettings.from_environ({})
    assert settings.common == Settings.from_environ({})
    assert settings.prefix == "batches/"
    assert settings.results == "output/batches/"
    assert settings.shape == JobShape(5, 20)
    assert settings.waiting_hours == 24
    assert settings.database_url == ""


def test_the_defaults_are_those_of_the_table() -> None:
    table = {variable.name: variable.default for variable in VARIABLES}
    assert BatchesSettings.from_environ(table) == BatchesSettings.from_environ({})
    assert all(variable.help for variable in VARIABLES)


def test_values_are_read() -> None:
    settings = BatchesSettings.from_environ(
        {
            "FFT_BATCHES_PREFIX": "scans/jobs",
            "FFT_BATCHES": "2",
            "FFT_BATCHES_IMAGES": "3",
            "FFT_BATCHES_THRESHOLD": "otsu",
            "FFT_BATCHES_WAITING_HOURS": "0.5",
            "FFT_OUTPUT_PREFIX": "results/",
            "BATCHES_STATE_MACHINE": MACHINE,
            "DATABASE_SECRET_ARN": LOGIN,
        }
    )
    assert settings.prefix == "scans/jobs/"
    assert settings.results == "results/batches/"
    assert settings.shape.to_json() == {"batches": 2, "images": 3, "threshold": "otsu"}
    assert settings.state_machine == MACHINE


def test_all_faults_are_reported_together() -> None:
    given = {
        "FFT_BATCHES_PREFIX": "/jobs",
        "FFT_BATCHES": "0",
        "FFT_BATCHES_IMAGES": "many",
        "FFT_BATCHES_THRESHOLD": "half",
        "FFT_BATCHES_PART": "201",
        "FFT_BATCHES_INLINE_IMAGES": "-1",
        "FFT_BATCHES_WAITING_HOURS": "a day",
        "FFT_BATCHES_WAITING": "1",
        "FFT_RESERVE_MS": "-1",
        "BATCHES_STATE_MACHINE": "fft-batches",
        "DATABASE_SECRET_ARN": "arn:aws:s3:::secret",
        "DATABASE_CA_SECRET_ARN": "x",
    }
    told = faults(**given)
    names = {fault.partition("=")[0] for fault in told}
    assert len(told) == len(names) == 12
    assert "FFT_BATCHES_WAITING" in names
    assert all("should be" in fault or "unknown setting" in fault for fault in told)


@pytest.mark.parametrize("url", ["mysql://me:hush@db/fft", "hush", "postgresql//me:hush@db"])
def test_the_address_of_a_database_is_not_shown(url: str) -> None:
    (told,) = faults(DATABASE_URL=url)
    assert told.startswith("DATABASE_URL=…: should be a URL")
    assert "hush" not in told


@pytest.mark.parametrize("prefix", ["input/jobs/", "output/", "workflow/", ""])
def test_jobs_are_not_among_sources_or_results(prefix: str) -> None:
    assert any("overlap" in fault for fault in faults(FFT_BATCHES_PREFIX=prefix))


def test_a_job_of_more_images_than_can_be_counted_is_a_fault() -> None:
    (told,) = faults(FFT_BATCHES="1000", FFT_BATCHES_IMAGES="10000")
    assert "a job has at most 1,000,000 images" in told


def test_the_other_functions_leave_these_settings_alone() -> None:
    given = {"FFT_BATCHES": "2", "FFT_BATCHES_IMAGES": "x"}
    assert Settings.from_environ(given) == Settings.from_environ({})
