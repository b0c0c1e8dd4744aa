"""The rate limit: never more than the limit in any period, and true answers to those beyond."""

from __future__ import annotations

import math
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import service.products.dynamodb as module
from service.errors import Busy, TooManyRequests
from service.products.dynamodb import TableLimiter, make_client
from service.products.limiter import MemoryLimiter, Unlimited, make_limiter
from service.products.rate import Limiter, Rate
from tests.support.limits import asked, check_exact, make_table
from tests.support.service import FixedClock, settings_in

RATE = Rate(3, 5)
ADDRESS = "192.0.2.1"
PAUSES = st.lists(st.integers(0, 12), max_size=40)  # quarters of a second


@pytest.fixture(scope="module")
def dynamodb(s3_endpoint: str) -> Any:
    """Client of moto's server, which has every service; a busy machine may take its time."""
    import boto3  # noqa: PLC0415  (takes half a second)

    session = boto3.session.Session("testing", "testing", region_name="eu-central-1")
    return session.client("dynamodb", endpoint_url=s3_endpoint)


@pytest.fixture(scope="module")
def table(dynamodb: Any) -> str:
    return make_table(dynamodb)


def of_table(dynamodb: Any, table: str, rate: Rate, clock: FixedClock) -> TableLimiter:
    return TableLimiter(dynamodb, table, rate, clock, without=None)


# What is guaranteed.


@given(PAUSES, st.integers(1, 5))
def test_the_limit_in_memory_is_exact(pauses: list[int], limit: int) -> None:
    clock, rate = FixedClock(), Rate(limit, 5)
    check_exact(MemoryLimiter(rate, clock), clock, rate, pauses)


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pauses=st.lists(st.integers(0, 12), max_size=15))
def test_the_limit_in_a_table_is_exact(dynamodb: Any, table: str, pauses: list[int]) -> None:
    clock = FixedClock()
    check_exact(of_table(dynamodb, table, RATE, clock), clock, RATE, pauses)


def test_the_turn_of_a_period_does_not_double_the_limit() -> None:
    """With a fixed window, 20 requests at its end and 20 at the beginning of the next would do."""
    clock, rate = FixedClock(), Rate(20, 3600)
    limiter = MemoryLimiter(rate, clock)
    clock.advance(3599)
    assert [asked(limiter, ADDRESS) for _ in range(20)] == [None] * 20
    clock.advance(2)
    assert asked(limiter, ADDRESS) == 3598


@pytest.fixture(params=["memory", "table"])
def limiter(request: pytest.FixtureRequest, clock: FixedClock) -> Limiter:
    if request.param == "memory":
        return MemoryLimiter(RATE, clock)
    dynamodb = request.getfixturevalue("dynamodb")
    return of_table(dynamodb, make_table(dynamodb), RATE, clock)


def test_addresses_do_not_count_for_each_other(limiter: Limiter) -> None:
    assert [asked(limiter, ADDRESS) for _ in range(4)] == [None, None, None, 5]
    assert asked(limiter, "2001:db8::/64") is None


def test_whoever_waits_as_told_is_accepted_and_a_refusal_does_not_count(
    limiter: Limiter, clock: FixedClock
) -> None:
    for _ in range(3):
        clock.advance(1)
        limiter.admit(ADDRESS)
    for _ in range(10):
        wait = asked(limiter, ADDRESS)
        assert wait == 3
    clock.advance(3)
    assert asked(limiter, ADDRESS) is None


def test_the_message_says_what_is_allowed_and_when() -> None:
    limiter = MemoryLimiter(Rate(1, 3600), FixedClock())
    limiter.admit(ADDRESS)
    with pytest.raises(TooManyRequests) as refused:
        limiter.admit(ADDRESS)
    assert str(refused.value) == (
        "this address has sent as many images as are accepted, 1 in an hour: try again in an hour"
    )


def test_of_many_at_once_exactly_the_limit_are_accepted() -> None:
    limiter = MemoryLimiter(Rate(20, 3600), FixedClock())
    with ThreadPoolExecutor(32) as pool:
        waits = list(pool.map(lambda _: asked(limiter, ADDRESS), range(200)))
    assert waits.count(None) == 20


# The memory.


def test_the_memory_is_bounded(clock: FixedClock) -> None:
    limiter = MemoryLimiter(RATE, clock, addresses=10)
    for number in range(100):
        clock.advance(0.01)
        limiter.admit(str(number))
    assert len(limiter) == 10
    for _ in range(2):
        limiter.admit("99")
    assert asked(limiter, "99") is not None, "the latest are remembered"


def test_addresses_are_forgotten_after_the_period(clock: FixedClock) -> None:
    limiter = MemoryLimiter(RATE, clock)
    for number in range(100):
        limiter.admit(str(number))
    clock.advance(5)
    limiter.admit(ADDRESS)
    assert len(limiter) == 1


# The table.


def test_an_item_expires_after_its_last_slot(dynamodb: Any, table: str, clock: FixedClock) -> None:
    of_table(dynamodb, table, Rate(2, 7200), clock).admit("198.51.100.7")
    key = {"ip_address": {"S": "198.51.100.7"}}
    item = dynamodb.get_item(TableName=table, Key=key)["Item"]
    now = int(clock.now().timestamp())
    assert now + 7200 <= int(item["expires_at"]["N"]) <= now + 7200 + 24 * 3600
    slots = [value for name, value in item.items() if name.startswith("slot_")]
    assert slots == [{"N": str(1000 * now)}]


def test_processes_with_the_same_table_count_together(
    dynamodb: Any, table: str, clock: FixedClock
) -> None:
    one, other = (of_table(dynamodb, table, RATE, clock) for _ in range(2))
    waits = [asked(each, "198.51.100.8") for each in (one, other, one, other)]
    assert waits == [None, None, None, 5]


def test_a_slot_that_another_takes_in_between_is_not_taken_twice(
    dynamodb: Any, table: str, clock: FixedClock
) -> None:
    """Between reading and taking, other requests take one slot after the other."""
    rate = Rate(3, 5)
    others = of_table(dynamodb, table, rate, clock)

    class Overtaken:
        exceptions = dynamodb.exceptions
        get_item = dynamodb.get_item
        calls = 0

        def update_item(self, **words: Any) -> Any:
            self.calls += 1
            asked(others, "198.51.100.9")
            return dynamodb.update_item(**words)

    client = Overtaken()
    limiter = TableLimiter(client, table, rate, clock, without=None)
    waits = [asked(limiter, "198.51.100.9") for _ in range(3)]
    key = {"ip_address": {"S": "198.51.100.9"}}
    item = dynamodb.get_item(TableName=table, Key=key)["Item"]
    assert sum(name.startswith("slot_") for name in item) == 3
    assert waits.count(None) <= 2
    assert waits[-1] == 5
    assert client.calls <= 4


# Without the table.


@pytest.mark.usefixtures("aws_keys")
def test_while_dynamodb_is_away_each_process_counts_for_itself_or_none_is_accepted(
    clock: FixedClock, caplog: pytest.LogCaptureFixture
) -> None:
    client = make_client("eu-central-1", f"http://127.0.0.1:{closed_port()}")
    limiter = TableLimiter(client, "limits", RATE, clock, without=MemoryLimiter(RATE, clock))
    assert [asked(limiter, ADDRESS) for _ in range(4)] == [None, None, None, 5]
    limiter = TableLimiter(client, "limits", RATE, clock, without=None)
    with pytest.raises(Busy) as refused:
        limiter.admit(ADDRESS)
    assert refused.value.retry_after == module.RETRY_AFTER
    assert refused.value.transient
    assert "127.0.0.1" not in refused.value.public
    assert "the table limits of the rate limit cannot be used" in caplog.text


def test_a_table_that_does_not_exist_counts_as_away(dynamodb: Any, clock: FixedClock) -> None:
    with pytest.raises(Busy):
        of_table(dynamodb, "no-such-table", RATE, clock).admit(ADDRESS)


def test_dynamodb_is_left_alone_for_a_while_and_used_again_after_it(
    dynamodb: Any, table: str, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    limiter = of_table(dynamodb, "no-such-table", RATE, clock)
    with pytest.raises(Busy):
        limiter.admit(ADDRESS)
    monkeypatch.setattr(limiter, "_table", table)
    with pytest.raises(Busy):
        limiter.admit(ADDRESS)
    monkeypatch.setattr(module, "PAUSE", 0.0)
    monkeypatch.setattr(limiter, "_paused_until", 0.0)
    limiter.admit(ADDRESS)


@pytest.fixture
def mute() -> Iterator[socket.socket]:
    """A server that takes connections, and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.mark.slow  # it waits for an answer, twice
@pytest.mark.usefixtures("aws_keys")
def test_a_dynamodb_that_does_not_answer_is_not_waited_for(
    clock: FixedClock, mute: socket.socket
) -> None:
    client = make_client("eu-central-1", f"http://127.0.0.1:{mute.getsockname()[1]}")
    limiter = TableLimiter(client, "limits", RATE, clock, without=None)
    for _ in range(50):
        with pytest.raises(Busy):
            limiter.admit(ADDRESS)
    mute.setblocking(False)
    tried = 0
    while True:
        try:
            connection, _ = mute.accept()
        except BlockingIOError:
            break
        connection.close()
        tried += 1
    assert tried == 2, "only the first request asked, and once more"


# The settings.


def test_the_settings_choose_the_limiter(tmp_path: Any, clock: FixedClock) -> None:
    def made(**variables: str) -> Limiter:
        return make_limiter(settings_in(tmp_path, **variables), clock)

    assert isinstance(made(), MemoryLimiter)
    assert isinstance(made(RATE_LIMIT="0"), Unlimited)
    assert isinstance(made(RATE_LIMIT="0", RATE_TABLE="limits"), Unlimited)
    away = {
        "RATE_TABLE": "limits",
        "RATE_LIMIT": "1",
        "AWS_REGION": "eu-central-1",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{closed_port()}",
    }
    opened = made(**away)
    assert [asked(opened, ADDRESS), asked(opened, ADDRESS)] == [None, 3600]
    with pytest.raises(Busy):
        made(**away, RATE_WITHOUT_TABLE="closed").admit(ADDRESS)


def test_boto3_is_loaded_only_with_a_table() -> None:
    code = "import sys, service.routes.products; print('boto3' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.mark.parametrize(
    ("wait", "says"),
    [(0.2, "a second"), (89.1, "90 seconds"), (3421, "58 minutes"), (3600, "an hour")],
)
def test_a_long_wait_is_told_in_minutes_and_its_seconds_are_exact(wait: float, says: str) -> None:
    refusal = Rate(20, 3600).refusal(wait)
    assert str(refusal).endswith(f"20 in an hour: try again in {says}")
    assert refusal.retry_after == math.ceil(wait)
