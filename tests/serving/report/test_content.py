"""A report refuses what does not belong together."""

import dataclasses
from datetime import timedelta

import polars as pl
import pytest
from report_world import CUTOFF, WINDOW, content_of, facts_of, item_of

from whyrec.data.windows import Window
from whyrec.errors import InvalidDataError
from whyrec.serving.report import ReportItem


def test_facts_forecast_and_explanation_are_of_one_item() -> None:
    one, other = item_of(facts_of()), item_of(facts_of(item_id="tt2"))
    with pytest.raises(InvalidDataError, match=r"expected facts, forecast and explanation of one item.*'tt2'"):
        ReportItem(other.facts, one.point, one.explanation)


@pytest.mark.parametrize("missing", [float("nan"), float("inf"), -1.0])
def test_a_forecast_without_an_interval_cannot_be_drawn(missing: float) -> None:
    item = item_of(facts_of())
    with pytest.raises(InvalidDataError, match=rf"'tt1': expected numbers of users.*got 25.0, 50.0, {missing}"):
        dataclasses.replace(item, point=dataclasses.replace(item.point, high=missing))


def test_facts_from_after_the_cutoff_are_a_leak() -> None:
    item = item_of(facts_of())
    later = dataclasses.replace(item.facts, cutoff=CUTOFF + timedelta(microseconds=1))
    with pytest.raises(InvalidDataError, match=r"'tt1': expected facts from before 2013-10-08.*got a cut-off of"):
        content_of([dataclasses.replace(item, facts=later)])
    content_of([item])  # facts at the very start of the window are not


def test_a_forecast_for_another_window_is_refused() -> None:
    item = item_of(facts_of())
    month = Window(WINDOW.start, WINDOW.end + timedelta(days=1))
    with pytest.raises(InvalidDataError, match=r"expected a forecast for 2013-10-08/2013-11-07, got one for .*11-08"):
        content_of([dataclasses.replace(item, point=dataclasses.replace(item.point, window=month))])


def test_rows_of_another_format_are_refused() -> None:
    with pytest.raises(InvalidDataError, match="expected the columns of ROW_SCHEMA, got none of the name 'method'"):
        content_of([], evaluation=pl.DataFrame({"model": ["trail"]}))
