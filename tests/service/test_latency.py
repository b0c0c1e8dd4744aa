"""Times of requests: how they are counted."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from service.latency import BOUNDS, Kind, RequestTimes

KIND = Kind("GET", "/healthz", 200)


@pytest.mark.parametrize(
    ("seconds", "place"), [(0.0, 0), (0.005, 0), (0.0051, 1), (10.0, 10), (11.0, 11)]
)
def test_a_request_is_counted_in_the_first_class_whose_bound_it_does_not_exceed(
    seconds: float, place: int
) -> None:
    times = RequestTimes()
    times.note("GET", "/healthz", 200, seconds)
    counts = times.all()[KIND].counts
    assert [index for index, count in enumerate(counts) if count] == [place]
    assert len(counts) == len(BOUNDS) + 1


def test_requests_of_many_threads_are_all_counted() -> None:
    times = RequestTimes()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: times.note("GET", "/healthz", 200, 0.5), range(800)))
    assert times.all()[KIND].count == 800
    assert times.all()[KIND].seconds == pytest.approx(400)


def test_whatever_clients_send_there_are_few_kinds() -> None:
    times = RequestTimes()
    for number in range(50):
        times.note(f"METHOD{number}", "", 404, 0.1)
    assert list(times.all()) == [Kind("other", "other", 404)]


def test_what_was_counted_is_a_copy() -> None:
    times = RequestTimes()
    times.note("GET", "/healthz", 200, 0.1)
    found = times.all()
    times.note("GET", "/healthz", 200, 0.1)
    assert found[KIND].count == 1
