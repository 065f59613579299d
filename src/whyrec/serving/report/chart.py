"""Draw an item's months, its last days and its forecast, as inline SVG without colours of its own.

Positions are computed here, in the SVG's own units; matplotlib writes the drawing; ``svg.tidy`` turns it into elements
that the page's stylesheet colours and its links can reach.
"""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from whyrec.data.facts import ItemFacts, MonthCount
from whyrec.evaluation.verification.evidence import month_id
from whyrec.interfaces import ForecastPoint
from whyrec.methods.trail.wording import month, whole
from whyrec.serving.report.evidence import count_in_words
from whyrec.serving.report.svg import Point, gid_of, tidy

WIDTH, HEIGHT = 360, 190
RECENT_DAYS = (30, 7)
"""Spans drawn beside the months; the others are listed as facts."""
_BOTTOM, _TOP = 36, HEIGHT - 18
_LEFT, _GAP, _RECENT_SLOT, _FORECAST_SLOT = 6, 14, 28, 66
_LETTER = 6.2
_SPACE = 3
"""About the width of a digit at the size of the labels, and the least space between two."""
_NARROW = 12
"""Where months are narrower than this, only the peak and the years are labelled."""
_LINE = 11
_TICKS_Y, _GROUPS_Y = 22, 7


class Slot(NamedTuple):
    """One bar of the chart."""

    evidence_id: str
    users: float
    tick: str
    """What stands under it."""
    left: float
    width: float
    kind: str

    @property
    def middle(self) -> float:
        """Where its labels are centred."""
        return self.left + self.width / 2


@dataclass(frozen=True, slots=True)
class Chart:
    """Where everything goes."""

    months: tuple[Slot, ...]
    recent: tuple[Slot, ...]
    forecast_left: float
    unit: float
    """Height of one user."""

    def height(self, users: float) -> float:
        """Where a number of users ends; even nobody leaves a line to point at."""
        return _BOTTOM + max(users * self.unit, 1.0)


def chart_points(facts: ItemFacts, point: ForecastPoint) -> frozenset[str]:
    """The evidence that the chart of an item shows."""
    months = (_id_of(count) for count in facts.months)
    recent = (f"recent:{days}d" for days in RECENT_DAYS if days in facts.recent)
    return frozenset((*months, *recent, "forecast", "forecast:low", "forecast:high"))


def draw_chart(facts: ItemFacts, point: ForecastPoint, *, points: dict[str, Point], name: str) -> str:
    """Draw one item.

    Args:
        facts: Months and last days.
        point: Forecast and interval.
        points: The element to make of each piece of evidence in ``chart_points``.
        name: Prefix of the ids that the drawing needs for itself.

    Returns:
        An ``svg`` element, the same text for the same input.
    """
    chart = _layout(facts, point)
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": name, "path.simplify": False}):
        figure = Figure(figsize=(WIDTH / 72, HEIGHT / 72), dpi=72)
        FigureCanvasSVG(figure)
        axes = figure.add_axes((0, 0, 1, 1), xlim=(0, WIDTH), ylim=(0, HEIGHT))
        axes.set_axis_off()
        _draw_frame(axes, chart, facts)
        for slot in (*chart.months, *chart.recent):
            _rectangle(axes, gid_of(slot.evidence_id, "hit"), x=(slot.left, slot.width), y=(_BOTTOM - 4, HEIGHT))
            width = min(slot.width * 0.72, 22)
            _rectangle(
                axes,
                gid_of(slot.evidence_id, slot.kind),
                x=(slot.middle - width / 2, width),
                y=(_BOTTOM, chart.height(slot.users)),
            )
        _draw_labels(axes, chart)
        _draw_forecast(axes, chart, point)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return tidy(
        buffer.getvalue(), points=points, name=name, title=f"History and forecast of {facts.title}", text=_told(facts)
    )


def _id_of(count: MonthCount) -> str:
    return month_id((count.window.start.year, count.window.start.month))


def _layout(facts: ItemFacts, point: ForecastPoint) -> Chart:
    spans = [days for days in RECENT_DAYS if days in facts.recent]
    forecast_left = WIDTH - _FORECAST_SLOT
    recent_left = forecast_left - _GAP - _RECENT_SLOT * len(spans)
    width = min((recent_left - _GAP - _LEFT) / max(len(facts.months), 1), 40.0)
    months = tuple(
        Slot(
            _id_of(count),
            count.users,
            month(count.window.start, with_year=False)[:3],
            # A short history stands next to the last days, not at the far end.
            recent_left - _GAP - width * (len(facts.months) - place),
            width,
            "bar" if count.complete else "part",
        )
        for place, count in enumerate(facts.months)
    )
    recent = tuple(
        Slot(f"recent:{days}d", facts.recent[days], f"{days} d", recent_left + _RECENT_SLOT * n, _RECENT_SLOT, "days")
        for n, days in enumerate(spans)
    )
    tallest = max(1.0, point.high, point.expected, *(slot.users for slot in (*months, *recent)))
    return Chart(months, recent, forecast_left, (_TOP - _BOTTOM) / tallest)


def _draw_frame(axes: Axes, chart: Chart, facts: ItemFacts) -> None:
    axes.plot([_LEFT, WIDTH - _LEFT], [_BOTTOM, _BOTTOM], gid=gid_of("", "base"), clip_on=False)
    axes.plot([chart.forecast_left - _GAP / 2] * 2, [4, HEIGHT], gid=gid_of("", "now"), clip_on=False)
    if not facts.months:
        middle = (_LEFT + chart.forecast_left - _GAP - _RECENT_SLOT * len(chart.recent)) / 2
        _text(axes, gid_of("", "note"), "never chosen so far", at=(middle, (_BOTTOM + _TOP) / 2))
    if chart.recent:
        middle = (chart.recent[0].left + chart.recent[-1].left + _RECENT_SLOT) / 2
        _text(axes, gid_of("", "group"), "last days", at=(middle, _GROUPS_Y))
    _text(axes, gid_of("", "group"), "forecast", at=(chart.forecast_left + _FORECAST_SLOT / 2, _GROUPS_Y))


def _draw_labels(axes: Axes, chart: Chart) -> None:
    months = chart.months
    crowded = bool(months) and months[0].width < _NARROW
    by_size = sorted(range(len(months)), key=lambda n: -months[n].users)
    shown = _that_fit(months, [whole(slot.users) for slot in months], order=by_size[:1] if crowded else by_size)
    for slot in (*(months[n] for n in sorted(shown)), *chart.recent):
        _text(
            axes, gid_of(slot.evidence_id, "value"), whole(slot.users), at=(slot.middle, chart.height(slot.users) + 4)
        )
    newest_first = [] if crowded else list(reversed(range(len(months))))
    for n in _that_fit(months, [slot.tick for slot in months], order=newest_first):
        _text(axes, gid_of("", "tick"), months[n].tick, at=(months[n].middle, _TICKS_Y))
    years = [slot.evidence_id.removeprefix("month:")[:4] for slot in months]
    new_year = [n for n in range(len(months)) if n == 0 or years[n] != years[n - 1]]
    for n in _that_fit(months, years, order=list(reversed(new_year))):
        place = (max(months[n].middle, _half(years[n])), _TICKS_Y if crowded else _GROUPS_Y)
        _text(axes, gid_of("", "group"), years[n], at=place)
    for slot in chart.recent:
        _text(axes, gid_of("", "tick"), slot.tick, at=(slot.middle, _TICKS_Y))


def _that_fit(slots: Sequence[Slot], labels: Sequence[str], *, order: Sequence[int]) -> list[int]:
    """Choose labels that do not touch, those first in ``order`` before the others."""
    taken: list[tuple[float, float]] = []
    chosen: list[int] = []
    for n in order:
        half = _half(labels[n]) + _SPACE / 2
        left, right = slots[n].middle - half, slots[n].middle + half
        if all(right <= begin or end <= left for begin, end in taken):
            taken.append((left, right))
            chosen.append(n)
    return chosen


def _half(label: str) -> float:
    return len(label) * _LETTER / 2


def _draw_forecast(axes: Axes, chart: Chart, point: ForecastPoint) -> None:
    left, band = chart.forecast_left + 6, 24
    low, middle, high = (chart.height(users) for users in (point.low, point.expected, point.high))
    slot = (chart.forecast_left, _FORECAST_SLOT)
    _rectangle(axes, gid_of("forecast", "hit"), x=slot, y=(_BOTTOM - 4, HEIGHT))
    _rectangle(axes, gid_of("forecast", "band"), x=(left, band), y=(low, high))
    _rectangle(axes, gid_of("forecast", "expected"), x=(left - 3, band + 6), y=(middle - 1.25, middle + 1.25))
    _rectangle(axes, gid_of("forecast:low", "cap"), x=(left, band), y=(low - 0.75, low + 0.75))
    _rectangle(axes, gid_of("forecast:high", "cap"), x=(left, band), y=(high - 0.75, high + 0.75))
    users = (point.low, point.expected, point.high)
    ids = ("forecast:low", "forecast", "forecast:high")
    for evidence_id, number, height in zip(ids, users, _apart(low, middle, high), strict=True):
        kind = "estimate" if evidence_id == "forecast" else "bound"
        _text(axes, gid_of(evidence_id, kind), count_in_words(number), at=(left + band + 6, height - 3.5), align="left")
    _text(axes, gid_of("", "tick"), _window_tick(point), at=(chart.forecast_left + _FORECAST_SLOT / 2, _TICKS_Y))


def _window_tick(point: ForecastPoint) -> str:
    start = point.window.start
    is_month = len(point.window.label) == len("2013-10")
    return f"{month(start)[:3]} {start.year}" if is_month else f"{point.window.days:.0f} days"


def _apart(low: float, middle: float, high: float) -> Iterator[float]:
    """Move the heights of three labels a line apart; the middle one stays where it is if it can."""
    middle = max(middle, _BOTTOM + _LINE + 4)
    yield max(min(low, middle - _LINE), _BOTTOM + 4)
    yield middle
    yield max(high, middle + _LINE)


def _rectangle(axes: Axes, gid: str, *, x: tuple[float, float], y: tuple[float, float]) -> None:
    """Add a rectangle from ``x`` (left, width) and ``y`` (bottom, top)."""
    axes.add_patch(Rectangle((x[0], y[0]), x[1], y[1] - y[0], gid=gid, clip_on=False))


def _text(axes: Axes, gid: str, text: str, *, at: tuple[float, float], align: str = "center") -> None:
    axes.text(*at, text, ha=align, gid=gid, parse_math=False)


def _told(facts: ItemFacts) -> str:
    """The drawing in one sentence, for those who do not see it."""
    if not facts.months:
        return "No history; the last days are empty, and the forecast stands beside them with its interval."
    peak = max(facts.months, key=lambda count: count.users)
    return (
        f"Users per month from {month(facts.months[0].window.start)} to {month(facts.months[-1].window.start)}, "
        f"most in {month(peak.window.start)} with {whole(peak.users)}; then the last days, and the forecast with its "
        "interval."
    )
