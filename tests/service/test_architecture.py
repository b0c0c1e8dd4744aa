"""Rules of the architecture within the service: which modules may import which, and libraries."""

from __future__ import annotations

import ast

import pytest

from tests.test_architecture import HEAVY, MODULES, imports, loaded_by

# Modules and packages, lowest first, each with those that it may import. A module that is not named
# belongs to its package. `catalogue` and `products` know nothing of HTTP, so that pages can use
# the same functions as the routes.
ARROWS = {
    "__init__": "",
    "clock": "",
    "errors": "",
    "latency": "",
    "log": "",
    "protocol": "",
    "settings": "",
    "blobs": "",
    "database": "",
    "jobs.queue": "settings",
    "workbench": "errors",
    "incoming": "",
    "samples": "",
    "parts": "blobs, clock, database, jobs.queue, latency, workbench",
    "health": "parts",
    "keys": "parts",
    "sessions": "keys",
    "references": "parts",
    "jobs": "references, sessions",
    "catalogue": "incoming, jobs, samples",
    "products": "incoming, jobs",
    "operations": "catalogue",
    "work": "operations, products",
    "access": "sessions",
    "problems": "errors",
    "middleware": "latency, problems",
    "uploads": "access",
    "routes": "catalogue, health, problems, products, uploads",
    "origins": "problems, settings",
    "pages": "operations, routes",
    "app": "middleware, origins, pages",
    "seed": "",
    "serving": "app, protocol, work",
    "lambda_entry": "app, log, work",
    "command": "log, samples, seed, serving",
    "__main__": "command",
}

# Libraries, clock, chance and environment, each with the modules and packages that may use it.
USERS = {
    "alembic": "database",
    "boto3": "lambda_entry products.dynamodb",
    "botocore": "lambda_entry products.dynamodb",
    "fastapi": "access app pages problems routes uploads",
    "huey": "jobs.queue",
    "jinja2": "pages.rendering",
    "mangum": "lambda_entry",
    "prometheus_client": "routes.metrics",
    "pydantic": "problems routes",
    "python_multipart": "uploads",
    "redis": "jobs.queue",
    "sqlalchemy": "catalogue database health jobs keys operations.runs products references "
    "sessions",
    "starlette": "middleware origins pages.events pages.operations problems uploads",
    "uvicorn": "protocol serving",
    # Images are decoded only in child processes.
    "numpy": "",
    "PIL": "",
    "hmac": "keys",
    "os": "command jobs.worker lambda_entry uploads",
    "random": "products.dynamodb",
    "secrets": "jobs.worker keys middleware seed sessions uploads",
    "socket": "jobs.worker serving",
    "subprocess": "",
    "tempfile": "catalogue.samples",
    "time": "jobs.queue jobs.worker lambda_entry middleware operations.state_machine "
    "products.dynamodb seed workbench",
    "uuid": "products.crops",
}

SERVICE = {
    name.partition(".")[2]: path for name, path in MODULES.items() if name.startswith("service.")
}


def place_of(module: str, places: list[str]) -> str:
    """The module itself if it is named, otherwise its package."""
    found = [place for place in places if module == place or module.startswith(f"{place}.")]
    return max(found, key=len, default="")


def reachable(place: str) -> set[str]:
    direct = {name for name in ARROWS[place].split(", ") if name}
    return direct.union(*map(reachable, direct))


def test_every_module_has_a_place() -> None:
    assert {place_of(module, list(ARROWS)) for module in SERVICE} == set(ARROWS)


@pytest.mark.parametrize("module", sorted(SERVICE))
def test_modules_import_only_lower_ones(module: str) -> None:
    place = place_of(module, list(ARROWS))
    allowed = {place} | reachable(place)
    found = (name.partition(".") for name in imports(SERVICE[module]) if name in MODULES)
    used = {name for top, _, name in found if top == "service"}
    wrong = sorted(name for name in used if place_of(name, list(ARROWS)) not in allowed)
    assert not wrong, f"{module} imports {', '.join(wrong)}"


@pytest.mark.parametrize("module", sorted(SERVICE))
def test_libraries_are_used_only_where_allowed(module: str) -> None:
    used = {name.partition(".")[0] for name in imports(SERVICE[module])}
    wrong = sorted(name for name in used & set(USERS) if not place_of(module, USERS[name].split()))
    assert not wrong, f"{module} imports {', '.join(wrong)}"


def test_every_exception_is_used() -> None:
    for library, places in USERS.items():
        for place in places.split():
            users = [module for module in SERVICE if place_of(module, [place])]
            assert any(
                name.partition(".")[0] == library
                for module in users
                for name in imports(SERVICE[module])
            ), f"{place} does not use {library}"


@pytest.mark.parametrize("module", sorted(set(SERVICE) - {"clock", "log"}))
def test_the_time_is_that_of_the_clock(module: str) -> None:
    """Tests could not move any other."""
    for node in ast.walk(ast.parse(SERVICE[module].read_text("utf-8"))):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name("datetime"), attr=name)):
                assert name not in ("now", "utcnow", "today")


def test_the_process_that_serves_decodes_no_images() -> None:
    assert not loaded_by("import service.serving") & ((HEAVY | {"PIL"}) - {"obstore"})


def test_help_and_faults_of_settings_load_no_libraries() -> None:
    code = "import service.command; service.command._parser()"
    assert not loaded_by(code) & {"fastapi", "sqlalchemy", "uvicorn", "numpy", "huey"}
