"""The simulation at scale: it agrees with theory and with itself, and the page is up to date."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from string import Template
from typing import Any
from unittest import mock

import numpy as np
import pytest

from fft_tool.report.charts import LogAxis
from tests.support.programs import loaded

FOLDER = Path(__file__).parents[2] / "benchmarks"
DOCS = FOLDER.parent / "docs"

# The scripts import each other, and the package, from the folder they are started in.
with mock.patch.object(sys, "path", [str(FOLDER), *sys.path]):
    answers = import_module("scale.answers")
    billions = import_module("scale.billions")
    bursts = import_module("scale.bursts")
    calibration = import_module("scale.calibration")
    drawing = import_module("scale.drawing")
    events = import_module("scale.events")
    flow = import_module("scale.flow")
    function = import_module("scale.function")
    knobs = import_module("scale.knobs")
    limits = import_module("scale.limits")
    neighbours = import_module("scale.neighbours")
    retries = import_module("scale.retries")
    throttling = import_module("scale.throttling")
    validation = import_module("scale.validation")
    run_scale = import_module("run_scale")

DEFAULTS = knobs.defaults()
PLAIN, CRASHES, ENDLESS, HOT = function.Kind
WORK = 0.3


def load_of(kinds: list[Any], work: float = WORK, megapixels: float = 4.0) -> Any:
    return function.Load([0.0] * len(kinds), [work] * len(kinds), kinds, megapixels)


def simulated(kinds: list[Any], of: Any = function.Function, **changes: Any) -> Any:
    set_to = replace(DEFAULTS, **changes)
    return events.Simulation(of(load_of(kinds), set_to), set_to).run()


# Settings and times


def test_settings_are_those_of_terraform() -> None:
    assert (DEFAULTS.batch_size, DEFAULTS.concurrency, DEFAULTS.max_receives) == (5, 10, 5)
    assert (DEFAULTS.timeout, DEFAULTS.visibility, DEFAULTS.reserve) == (60, 360, 2)
    assert DEFAULTS.retention == 7 * knobs.DAY


def test_unknown_setting_is_an_error() -> None:
    with pytest.raises(LookupError, match="'no_such_setting'"):
        knobs.terraform_default("no_such_setting")


def test_times_go_through_both_measured_sizes() -> None:
    measured = calibration.measured()
    text = calibration.MEASURED.read_text("utf-8").partition("## Warm: the whole")[2]
    for side in (calibration.SMALL, calibration.LARGE):
        median = re.search(rf"{side}², 1,769 MB +\| [0-9.]+ ms \(([0-9.]+) ms\)", text)
        assert median is not None
        requests = calibration.ROUNDS * limits.REQUEST
        assert measured.seconds(side) == pytest.approx(float(median[1]) / 1000 + requests)
    assert 0 < calibration.scan_seconds() < measured.seconds(calibration.LARGE)


def test_results_that_are_not_where_they_are_expected_are_an_error() -> None:
    with pytest.raises(LookupError, match="has no row '4096², 1,769 MB'"):
        calibration.median_of(calibration.MEASURED.read_text("utf-8"), "4096², 1,769 MB")


# The simulations agree with theory and with each other


@pytest.mark.slow
def test_every_comparison_is_within_its_tolerance() -> None:
    found = validation.comparisons()
    assert len(found) == 10
    assert [each.what for each in found if not each.agrees] == []


def test_a_wrong_result_is_outside_the_tolerance() -> None:
    assert not validation.Comparison("", 1.04, 1.0, 0.03).agrees


def test_erlangs_formula_for_one_server_is_that_of_a_simple_queue() -> None:
    rate, work = 2.0, 0.4
    wait = rate * work * work / (1 - rate * work)
    assert validation.erlang_wait(1, rate, work) == pytest.approx(wait)


@pytest.mark.parametrize("alone", validation.TEST_ALONE)
def test_the_measured_hot_key_is_reproduced(alone: float) -> None:
    ratio, analysed = validation.hot_test(alone)
    least, most = validation.TEST_ANALYSED
    assert ratio == pytest.approx(1, abs=0.1)
    assert least - 2 <= analysed <= most + 2


@pytest.mark.parametrize("accepted", [0.02, 0.1, 1.0])
def test_throttled_messages_die_as_the_closed_form_says(accepted: float) -> None:
    set_to = replace(DEFAULTS, max_receives=2)
    expected = throttling.expected_dead(accepted, set_to)
    assert throttling.throttled(accepted, set_to) == pytest.approx(expected, abs=0.05)


def test_the_same_seed_gives_the_same_events() -> None:
    first, second = (simulated([PLAIN, CRASHES] * 50) for _ in range(2))
    assert first.ended == second.ended
    assert first.fates == second.fates


# The queue and its pollers


def test_pollers_begin_with_five_and_grow_by_300_a_minute() -> None:
    set_to = replace(DEFAULTS, concurrency=40)
    simulation = events.Simulation(function.Function(load_of([PLAIN] * 3000), set_to), set_to)
    pollers = simulation.run(until=10).pollers
    assert pollers[0] == 5
    assert pollers[4] - pollers[0] == pytest.approx(300 * 4 / 60)
    assert max(pollers) == 40


def test_concurrency_is_never_exceeded() -> None:
    trace = simulated([PLAIN] * 2000, concurrency=7)
    assert trace.handled <= 7 * trace.finish
    assert trace.handled >= 0.95 * 7 * trace.finish


def test_message_that_always_fails_becomes_a_dead_letter_after_all_its_attempts() -> None:
    set_to = replace(DEFAULTS, max_receives=3)
    load = load_of([PLAIN])
    trace = events.Simulation(validation.Flaky(load, set_to, 1.0), set_to).run()
    assert trace.fates == [function.Fate.DEAD]
    assert trace.receives == [3]
    assert trace.finish == pytest.approx(3 * set_to.visibility, abs=3 * limits.SHUFFLE)


def test_outage_shorter_than_all_attempts_leaves_no_dead_letters() -> None:
    lifetime = DEFAULTS.max_receives * DEFAULTS.visibility
    assert throttling.outage(0.9 * lifetime, DEFAULTS, 50) == 0
    assert throttling.outage(1.5 * lifetime, DEFAULTS, 50) == 50


def test_queue_forgets_what_is_older_than_its_retention() -> None:
    slow = replace(DEFAULTS, concurrency=2, retention=600.0)
    found = flow.simulate(lambda _: 10_000.0, 0.0, slow, WORK)
    assert found.finish == pytest.approx(600, abs=2)
    assert found.expired == pytest.approx(10_000 - found.done)
    assert found.done == pytest.approx(600 * bursts.per_second(slow, WORK), rel=0.01)


# The function


def test_contained_trouble_rejects_the_bad_image_and_no_other() -> None:
    for bad in (CRASHES, ENDLESS):
        trace = simulated([PLAIN, bad, PLAIN, PLAIN, PLAIN])
        assert trace.count(function.Fate.DONE) == 4
        assert trace.fates[1] == function.Fate.REJECTED
        assert max(trace.receives) == 1


def test_trouble_that_is_not_contained_takes_its_batch_with_it() -> None:
    trace = simulated([PLAIN, CRASHES], of=function.Uncontained, batch_size=10)
    assert trace.fates[1] == function.Fate.DEAD
    assert trace.receives[1] == DEFAULTS.max_receives


def test_second_try_takes_the_factor_of_the_handler() -> None:
    load = load_of([ENDLESS])
    answer = function.Function(load, DEFAULTS).run(function.Batch([0], [1], 0.0, 0))
    assert answer.seconds == pytest.approx(
        11 * 3.0
    )  # 1 s + 0.5 s × 4 megapixels, and ten times that


def test_batch_that_does_not_fit_into_the_timeout_is_returned_in_part() -> None:
    load = load_of([PLAIN] * 10, work=10.3, megapixels=100)
    answer = function.Function(load, DEFAULTS).run(function.Batch(range(10), [1] * 10, 0.0, 0))
    assert len(answer.ended) == 5
    assert len(answer.returned) == 5
    assert answer.seconds <= DEFAULTS.timeout


@pytest.mark.parametrize("overwrites", [20.0, 300.0])
def test_last_version_of_a_hot_key_is_written(overwrites: float) -> None:
    load = neighbours.hot_load(50, 5.0, overwrites, WORK, seed=1)
    trace = events.Simulation(function.Function(load, DEFAULTS), DEFAULTS).run()
    hot = [f for f, kind in zip(trace.fates, load.kinds, strict=True) if kind == HOT]
    assert function.Fate.DONE in hot
    assert trace.count(function.Fate.DONE, PLAIN) == 50
    assert hot.count(function.Fate.SUPERSEDED) > 0.9 * len(hot)


# Retries


@pytest.mark.parametrize("pause", [retries.fixed, retries.doubling, retries.jittered])
def test_a_service_never_accepts_more_than_its_rate(pause: Any) -> None:
    storm = retries.storm(5000, 1000, pause, window=0.1)
    served = np.sort(storm.served[~np.isnan(storm.served)])
    allowed = 1000 * (served + retries.STEP) + 100
    assert (np.arange(1, len(served) + 1) <= allowed + 1e-6).all()


def test_random_pauses_serve_everybody_in_little_more_than_the_least_time() -> None:
    storm = retries.storm(30_000, 3500, retries.jittered, window=0.1)
    assert storm.gave_up == 0
    assert storm.finish < 2 * 30_000 / 3500


def test_equal_pauses_make_clients_give_up() -> None:
    assert retries.storm(30_000, 3500, retries.doubling, window=0.1).gave_up > 0.5


def test_without_rivals_everybody_is_served_at_once() -> None:
    storm = retries.storm(10, 3500, retries.jittered)
    assert storm.requests == 10
    assert storm.finish == 0


# Costs


def test_cost_of_a_billion_is_that_of_a_million_on_the_page_of_costs() -> None:
    """Without SQS and the upload, as docs/cost.md writes it: requests of results and reading."""
    batch = next(e for e in billions.engines(DEFAULTS) if e.name == "S3 Batch Operations")
    items = batch.items(DEFAULTS)
    assert items["S3 requests"] / 1000 == pytest.approx(15.00 + 1.20)
    assert items["engine"] / 1000 == pytest.approx(1.015 + 0.20, rel=1e-3)


def test_days_fall_with_concurrency_until_s3_limits_them() -> None:
    engine = billions.engines(DEFAULTS)[0]
    assert engine.days(100) == pytest.approx(10 * engine.days(1000))
    assert engine.days(10**6, partitions=1) == pytest.approx(4e9 / 3500 / 86400)


# Charts and page


@pytest.mark.parametrize(
    ("value", "text"), [(0.0342, "0.034"), (5.62, "5.6"), (12_345, "12,000"), (0, "0"), (10, "10")]
)
def test_numbers_have_two_digits(value: float, text: str) -> None:
    assert answers.digits(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(28, "28 s"), (276, "4.6 min"), (28_000, "7.8 h"), (280_000, "3.2 days")]
)
def test_times_are_in_the_unit_that_suits_them(seconds: float, text: str) -> None:
    assert answers.duration(seconds) == text


def test_axes_have_few_round_ticks() -> None:
    for high in (0.7, 1, 3, 18, 36, 120, 999):
        ticks = drawing.LinearAxis(0, high, 0, 100).ticks()
        assert 4 <= len(ticks) <= 8
        assert ticks[0] == 0
    assert drawing.Scale("", 1, 10, log=True).axis(0, 1) == LogAxis(1, 10, 0, 1)


def test_curves_are_cut_where_they_leave_the_chart() -> None:
    scale = drawing.Scale("", 0, 10)
    line = drawing.Line("", [(0, 1), (5, 20), (8, 1), (10, 1)])
    svg = drawing.Chart("", scale, scale, [line]).svg()
    curve = re.findall(r'd="(M[^"]+)"[^>]*stroke-linejoin', svg)[-1]
    assert re.findall("[ML]", curve) == ["M", "M", "L"]


def test_long_series_keep_both_ends() -> None:
    points = [(float(n), 0.0) for n in range(10_000)]
    for log in (False, True):
        few = drawing.thinned(points, log=log)
        assert len(few) <= 160
        assert (few[0][0], few[-1]) == (float(log), points[-1])


def test_cheap_parts_of_the_page_are_up_to_date() -> None:
    text = (DOCS / "scale.md").read_text("utf-8")
    for question in (bursts.drain, billions.billion, billions.prefixes):
        finding = question()
        for name, chart in finding.charts.items():
            assert (DOCS / "images" / name).read_text("utf-8") == chart.svg(), (
                "run benchmarks/run_scale.py"
            )
            assert f"images/{name}" in text
        for words in finding.words.values():
            assert words in text
    for words in run_scale.settings().values():
        assert words in text


def test_page_uses_every_word_that_is_calculated() -> None:
    known = set(run_scale.settings())
    for question in (bursts.drain, bursts.batches, billions.billion, billions.prefixes):
        known |= set(question().words)
    used = Template(run_scale.TEMPLATE.read_text("utf-8")).get_identifiers()
    assert known - set(used) == set()


def test_missing_word_of_the_page_is_an_error() -> None:
    with pytest.raises(KeyError):
        run_scale.page({})


@pytest.mark.slow
def test_page_is_what_the_simulation_says() -> None:
    for name, text in run_scale.files().items():
        assert (DOCS / name).read_text("utf-8") == text, f"{name}: run benchmarks/run_scale.py"


def test_program_can_be_loaded_alone() -> None:
    with mock.patch.object(sys, "path", [str(FOLDER), *sys.path]):
        assert loaded(FOLDER / "run_scale.py").DOCS == DOCS
