"""Problems: every error has a status, and no answer tells what is inside."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Iterator
from http import HTTPStatus

import pytest
from fastapi import FastAPI, Query

from fft_tool import errors as core
from fft_tool.runs.child import ChildBug
from fft_tool.stores import s3_errors
from service import errors, seed
from service.app import create_app
from service.parts import Parts
from service.problems import MEDIA_TYPE, STATUSES, status_of
from tests.support.service import TestClient

PRIVATE = "/srv/scans/a.png in s3://herbarium, SELECT 1"


def kinds(base: type[core.FftToolError]) -> Iterator[type[core.FftToolError]]:
    """An error and all below it, apart from those that other tests define."""
    yield base
    for kind in base.__subclasses__():
        if kind.__module__.startswith(("fft", "service")):
            yield from kinds(kind)


DEFINING = (core, errors, s3_errors, seed)
"""Modules that define errors: they have to be loaded before these are looked for."""

KINDS = {kind.__name__: kind for kind in kinds(core.FftToolError)}
LEAVES = sorted(
    (kind for kind in KINDS.values() if len(list(kinds(kind))) == 1), key=lambda kind: kind.__name__
)
OWN = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if kind in LEAVES]


def made(kind: type[core.FftToolError], text: str = PRIVATE) -> core.FftToolError:
    if kind is core.RecipeError:
        return core.RecipeError([core.RecipeFault("bits", "9", "should be 8 or 16")])
    if kind is core.OperationsError:
        return core.OperationsError([core.OperationFault(1, "x", "is not known")])
    if kind in (core.BadJob, core.SettingsError):
        return kind([text])
    if issubclass(kind, errors.TooManyRequests | errors.Busy):
        return kind(text, 7)
    return kind(text)


@pytest.fixture
def failing(parts: Parts, client: TestClient) -> Iterator[TestClient]:
    """A client of a service with routes that fail."""
    app = create_app(parts)

    @app.get("/fails/{name}")
    def fails(name: str) -> None:
        raise made(KINDS[name])

    @app.get("/bug")
    def bug() -> None:
        raise ZeroDivisionError(PRIVATE)

    @app.get("/child-bug")
    def child_bug() -> None:
        raise ChildBug("ZeroDivisionError", PRIVATE, [PRIVATE])

    @app.get("/takes")
    def takes(days: int = Query(ge=0), flag: bool = False) -> None:
        assert days >= 0, flag

    with TestClient(app, base_url=str(client.base_url)) as other:
        yield other


@pytest.mark.parametrize("kind", LEAVES, ids=lambda kind: kind.__name__)
def test_every_error_is_a_problem_with_its_code(
    failing: TestClient, kind: type[core.FftToolError]
) -> None:
    answer = failing.get(f"/fails/{kind.__name__}")
    problem = answer.json()
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert answer.status_code == problem["status"] == status_of(made(kind))
    assert problem["title"] == HTTPStatus(problem["status"]).phrase
    assert problem["type"] == "about:blank"
    assert problem["code"] == kind.code
    assert problem["detail"] == made(kind).public
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert ("retry-after" in answer.headers) == kind.transient
    assert ("www-authenticate" in answer.headers) == (kind is errors.NotAuthenticated)


@pytest.mark.parametrize("kind", LEAVES, ids=lambda kind: kind.__name__)
def test_the_status_follows_from_what_the_error_says_of_itself(
    kind: type[core.FftToolError],
) -> None:
    status = status_of(made(kind))
    if kind.permanent:
        assert HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    if kind.transient:
        assert status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS)


def test_no_entry_of_the_table_is_hidden_by_one_before() -> None:
    kinds = [kind for kind, _ in STATUSES]
    for place, kind in enumerate(kinds):
        assert not any(issubclass(kind, before) for before in kinds[:place])


def test_the_documented_tree_of_errors_is_complete() -> None:
    told = errors.__doc__ or ""
    for kind in OWN:
        assert f" {kind.__name__} " in told
        assert kind.code in told


def test_several_faults_are_listed(failing: TestClient) -> None:
    assert failing.get("/fails/RecipeError").json()["faults"] == ["bits='9': should be 8 or 16"]


def test_an_error_that_says_when_to_try_again(failing: TestClient) -> None:
    assert failing.get("/fails/TooManyRequests").headers["retry-after"] == "7"


@pytest.mark.parametrize("path", ["bug", "child-bug"])
def test_a_bug_is_logged_and_told_to_nobody(
    failing: TestClient, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    answer = failing.get(f"/{path}")
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (500, "bug")
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert answer.headers["x-content-type-options"] == "nosniff"
    for private in ("ZeroDivision", "/srv", "s3:", "SELECT", "Traceback", "File"):
        assert private not in answer.text
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert vars(record)["request_id"] == problem["request_id"]
    assert record.exc_info


@pytest.mark.parametrize("kind", ["BadDatabase", "NotAllowed", "StoreUnavailable", "StoreFull"])
def test_what_an_operator_has_to_know_is_logged_and_told_to_nobody(
    failing: TestClient, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    answer = failing.get(f"/fails/{kind}")
    assert answer.status_code >= 500
    assert "/srv" not in answer.text
    assert any(PRIVATE in record.getMessage() for record in caplog.records)


def test_parameters_that_are_wrong_are_told_one_by_one(failing: TestClient) -> None:
    problem = failing.get("/takes?days=-1&flag=perhaps").json()
    assert (problem["status"], problem["code"]) == (422, "bad-request")
    assert [fault.partition(":")[0] for fault in problem["faults"]] == ["days", "flag"]
    assert "perhaps" not in problem["detail"]


def test_an_address_that_does_not_exist(client: TestClient) -> None:
    answer = client.get("/nowhere")
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


def test_a_method_that_an_address_does_not_take(client: TestClient) -> None:
    answer = client.delete("/healthz")
    assert (answer.status_code, answer.json()["code"]) == (405, "method-not-allowed")
    assert answer.headers["allow"] == "GET"


# The description


def test_every_answer_that_is_an_error_is_described_as_a_problem(client: TestClient) -> None:
    described = client.get("/openapi.json").json()
    found = [
        (path, status, set(answer.get("content", {})))
        for path, item in described["paths"].items()
        for operation in item.values()
        for status, answer in operation["responses"].items()
        if status[0] in "45" and path != "/readyz"
    ]
    assert all(content == {MEDIA_TYPE} for *_, content in found), found
    assert "HTTPValidationError" not in described["components"]["schemas"]
    problem = described["components"]["schemas"]["Problem"]
    assert set(problem["required"]) <= set(problem["properties"])


def test_every_operation_is_named_described_and_tagged(parts: Parts) -> None:
    app: FastAPI = create_app(parts)
    described = app.openapi()
    names = {tag["name"] for tag in described["tags"]}
    ids = []
    for item in described["paths"].values():
        for operation in item.values():
            ids.append(operation["operationId"])
            assert operation["summary"]
            assert set(operation["tags"]) <= names
            assert operation["tags"]
    assert len(set(ids)) == len(ids)
    assert all(name.isidentifier() and name == name.lower() for name in ids)


def test_there_is_no_page_that_loads_scripts_from_elsewhere(client: TestClient) -> None:
    assert client.get("/docs").status_code == 404
    assert client.get("/redoc").status_code == 404
