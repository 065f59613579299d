"""Put a report together and write it: one HTML file that needs nothing but itself."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from markupsafe import Markup

from whyrec.evaluation.verification import evidence_of
from whyrec.interfaces import Driver
from whyrec.methods.trail.wording import day, small, whole, window_phrase
from whyrec.runtime.atomic import atomic_file
from whyrec.serving.pages import rendered_page
from whyrec.serving.report.chart import chart_points, draw_chart
from whyrec.serving.report.content import ReportContent, ReportItem
from whyrec.serving.report.evidence import Shown, count_in_words, shown_evidence, users_in_words
from whyrec.serving.report.passages import Passage, Section, badge_of, sections_of
from whyrec.serving.report.people import person_view
from whyrec.serving.report.svg import Point
from whyrec.serving.report.table import REFERENCES, evaluation_tables

_OFFLINE = "offline"
_PLACED_ELSEWHERE = ("title", "rank")


@dataclass(frozen=True, slots=True)
class Push:
    """A driver as a bar."""

    shown: Shown
    share: float
    """Length of the bar, from 0 to 1."""
    direction: str


@dataclass(frozen=True, slots=True)
class ItemView:
    """One item as the template shows it."""

    item: ReportItem
    name: str
    shown: dict[str, Shown]
    chart: Markup
    sections: list[Section]
    attributes: list[Shown]
    facts: list[Shown]
    pushes: list[Push]

    @property
    def badge(self) -> str:
        """How many claims were checked, and how many hold."""
        return badge_of(self.item.explanation.verdict)

    @property
    def has_partial_month(self) -> bool:
        """Whether the chart needs the key to its dashed bars."""
        return any(not count.complete for count in self.item.facts.months)

    def targets(self, passage: Passage) -> list[Shown]:
        """Where on the page the evidence of a claim stands."""
        return [self.shown[name] for name in passage.evidence_ids if name in self.shown]

    def says(self, passage: Passage) -> str:
        """What a claim rests on, in words."""
        rests = "; ".join(shown.says for shown in self.targets(passage))
        if passage.supported:
            return f"Rests on {rests}" if rests else "Checked"
        return f"Not borne out: {passage.problem or 'the evidence does not say so'}"


def write_report(path: Path, *, content: ReportContent) -> None:
    """Write a report as one self-contained HTML file, complete or not at all.

    Args:
        path: The file; one that stands there is replaced.
        content: What to show.

    Raises:
        OutputWriteError: If it cannot be written; a file that stood at ``path`` before still does.
        InvalidDataError: If the evaluation has two figures for one method and metric.
    """
    page = render_report(content)
    with atomic_file(path) as partial:
        partial.write_text(page, encoding="utf-8")


def render_report(content: ReportContent) -> str:
    """Make the page's HTML; the same text for the same content.

    Raises:
        InvalidDataError: If the evaluation has two figures for one method and metric.
    """
    shown = {
        "content": content,
        "window": window_phrase(content.window),
        "span": _span(content),
        "writers": sorted({item.explanation.writer for item in content.items}),
        "offline": _OFFLINE,
        "views": [_view(item, place=place) for place, item in enumerate(content.items, start=1)],
        "widest": max((max(item.point.high, item.point.expected) for item in content.items), default=0.0) or 1.0,
        "references": REFERENCES,
        "people": [person_view(person, place=place) for place, person in enumerate(content.people, start=1)],
        "tables": evaluation_tables(content.evaluation, metrics=content.metrics, forecaster=content.forecaster),
    }
    filters: dict[str, Callable[..., object]] = {
        "day": day,
        "whole": whole,
        "count": count_in_words,
        "users": users_in_words,
        "small": small,
    }
    return rendered_page("report", shown, filters=filters)


def _span(content: ReportContent) -> str:
    """The time range of the log, as dates."""
    ends = (content.dataset.get("first_timestamp"), content.dataset.get("last_timestamp"))
    return " to ".join(day(datetime.fromisoformat(str(end))) for end in ends if end)


def _view(item: ReportItem, *, place: int) -> ItemView:
    name = f"item-{place}"
    known = evidence_of(item.facts, item.point, item.drivers)
    shown = shown_evidence(item.explanation, known=known, prefix=f"e{place}", cutoff=item.facts.cutoff)
    drawn = chart_points(item.facts, item.point)
    points = {key: Point(one.anchor, one.says) for key, one in shown.items() if key in drawn}
    elsewhere = {*drawn, *_PLACED_ELSEWHERE, *(f"driver:{driver.id}" for driver in item.drivers)}
    listed = [one for key, one in shown.items() if key not in elsewhere]
    return ItemView(
        item=item,
        name=name,
        shown=shown,
        chart=Markup(draw_chart(item.facts, item.point, points=points, name=f"{name}-chart")),
        sections=sections_of(item.explanation),
        attributes=[one for one in listed if one.evidence.id.startswith("attribute:")],
        facts=[one for one in listed if not one.evidence.id.startswith("attribute:")],
        pushes=list(_pushes(item.drivers, shown)),
    )


def _pushes(drivers: tuple[Driver, ...], shown: dict[str, Shown]) -> Iterator[Push]:
    """Bars, strongest first; their lengths follow the logarithm, so that twice and half are equally long."""
    sizes = {driver.id: abs(math.log(max(1 + driver.effect, 0.01))) for driver in drivers}
    longest = max(sizes.values(), default=0.0) or 1.0
    for driver in sorted(drivers, key=lambda driver: -sizes[driver.id]):
        yield Push(shown[f"driver:{driver.id}"], sizes[driver.id] / longest, "down" if driver.effect < 0 else "up")
