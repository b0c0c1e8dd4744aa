"""``fft-service``: keys, tables and faults, as an operator meets them."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.command import BUG, FAILED, OK, USAGE, main
from service.keys import caller_of
from service.parts import Parts
from tests.support.service import environ_in


@pytest.fixture(autouse=True)
def _environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = {"AUTHENTICATION": "keys", "SECRET_KEY": "a secret of this test"}
    for name, text in environ_in(tmp_path, **secret).items():
        monkeypatch.setenv(name, text)


def test_a_key_is_made_shown_once_listed_and_revoked(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["keys", "make", "--tenant", "acme", "--label", "web shop"]) == OK
    made = capsys.readouterr()
    assert made.out.startswith("fft_")
    assert made.out.count("\n") == 1
    assert "not shown again" in made.err
    assert main(["keys", "list"]) == OK
    listed = capsys.readouterr().out
    assert made.out.strip() not in listed
    assert listed.split("\t")[:3] == ["1", "tenant acme", "valid"]
    assert main(["keys", "revoke", "1"]) == OK
    main(["keys", "list"])
    assert "revoked" in capsys.readouterr().out.splitlines()[-1]


def test_a_key_that_does_not_exist(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keys", "revoke", "7"]) == FAILED
    assert capsys.readouterr().err == "fft-service: there is no key 7\n"


def test_whose_key_it_is_has_to_be_said(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["keys", "make"])
    assert caught.value.code == USAGE
    assert "--tenant" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["serve"], ["worker"], ["migrate"], ["keys", "list"]])
def test_all_faults_of_the_settings_are_told(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOST", "0.0.0.0")  # noqa: S104  (is refused)
    monkeypatch.setenv("AUTHENTICATION", "off")
    monkeypatch.setenv("SECRET_KEY", "change-me")
    monkeypatch.setenv("PORT", "http")
    assert main(command) == USAGE
    told = capsys.readouterr().err.splitlines()
    assert [line.split()[1].partition("=")[0] for line in told[1:]] == [
        *("PORT", "SECRET_KEY", "AUTHENTICATION")
    ]


def test_tables_and_files_are_looked_after(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["migrate"]) == OK
    assert "up to date" in capsys.readouterr().out
    assert main(["sweep"]) == OK
    assert "0 jobs taken back" in capsys.readouterr().out


def test_a_bug_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def wrong(_: Parts) -> None:
        raise ZeroDivisionError("of all things")

    monkeypatch.setattr("service.keys.list_keys", wrong)
    assert main(["keys", "list"]) == BUG
    (line,) = capsys.readouterr().err.splitlines()
    assert "ZeroDivisionError" in line
    with pytest.raises(ZeroDivisionError):
        main(["--debug", "keys", "list"])


def test_a_key_made_by_the_command_is_good_for_the_service(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from service.parts import make_parts  # noqa: PLC0415  (after the environment is set)
    from tests.support.service import settings_in  # noqa: PLC0415  (as above)

    main(["keys", "make", "--administrator"])
    key = capsys.readouterr().out.strip()
    secret = {"AUTHENTICATION": "keys", "SECRET_KEY": "a secret of this test"}
    parts = make_parts(settings_in(tmp_path, **secret))
    assert caller_of(parts, key).administrator
    parts.close()
