"""True explanations in other words than the offline writer's: other date styles, spelled-out and rounded numbers."""

import random
from collections.abc import Callable, Sequence

from whyrec.data.facts import ItemFacts, MonthCount
from whyrec.data.windows import Window
from whyrec.interfaces import Driver, ForecastPoint

MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]

_DIGIT_WORDS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
_TENS = ["x", "x", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_DateStyle = Callable[[Window], str]

_STYLES: tuple[_DateStyle, ...] = (
    lambda window: f"{MONTHS[window.start.month - 1]} {window.start.year}",
    lambda window: f"{MONTHS[window.start.month - 1][:3]} {window.start.year}",
    lambda window: f"{window.start:%Y-%m}",
    lambda window: MONTHS[window.start.month - 1],
)


def _in_words(n: int) -> str:
    if n < len(_DIGIT_WORDS):
        return _DIGIT_WORDS[n] if n else "zero"
    if 20 <= n < 100:
        return _TENS[n // 10] + (f"-{_DIGIT_WORDS[n % 10]}" if n % 10 else "")
    return f"{n:,}"


def _people(n: int) -> str:
    return f"{_in_words(n)} {'viewer' if n == 1 else 'viewers'}"


def _rounded(n: float) -> str:
    """About 160 for 158: rounded to two figures where that stays within 4%."""
    step = 10 ** max(len(str(int(n))) - 2, 0)
    near = round(n / step) * step
    return f"around {near:,.0f}" if abs(near - n) <= 0.04 * n else f"{n:,.0f}"


def paraphrase(facts: ItemFacts, forecast: ForecastPoint, drivers: Sequence[Driver], *, seed: int) -> str:
    """Explain a forecast in other words than the offline writer's."""
    rng = random.Random(f"{seed}|{facts.item_id}")
    parts = [*_history_part(facts, rng), *_catalogue_part(facts, rng), *_forecast_part(forecast, drivers, rng)]
    return " ".join(part[0].upper() + part[1:] for part in parts)


def _history_part(facts: ItemFacts, rng: random.Random) -> list[str]:
    title = rng.choice((facts.title, f'"{facts.title}"', f"“{facts.title}”"))
    if not facts.months:
        return [
            rng.choice((f"No ratings of {title} are on record yet.", f"{title} is a cold start: zero ratings so far."))
        ]
    # A bare month's name is only clear within a year.
    style = rng.choice(_STYLES if len(facts.months) <= 11 else _STYLES[:3])
    full = [count for count in facts.months if count.complete]
    sentences = [
        f"{title} has been rated by {facts.total_users:,} {'person' if facts.total_users == 1 else 'people'} overall."
    ]
    if len(full) >= 3 and rng.random() < 0.5:
        shown = full[-3:]
        sentences.append("; ".join(f"{count.window.start:%Y-%m}: {count.users}" for count in shown) + ".")
    if len(full) >= 2:
        sentences.append(_change(full[-2], full[-1], style=style, rng=rng))
    best = max(facts.months, key=lambda count: count.users)
    if len(facts.months) >= 2 and best.users >= 2:
        sentences.append(
            rng.choice(
                (
                    f"The high point was {style(best.window)} with {best.users:,} viewers.",
                    f"Demand peaked at {best.users:,} in {style(best.window)}.",
                    f"{style(best.window)} was the busiest month ({best.users:,}).",
                )
            )
        )
    sentences += _lately(facts, rng)
    return sentences


def _change(older: MonthCount, newer: MonthCount, *, style: _DateStyle, rng: random.Random) -> str:
    a, b = older.users, newer.users
    first, second = style(older.window), style(newer.window)
    if abs(a - b) <= 0.15 * max(a, b) or a == b:
        return f"Numbers were stable: {first} saw {_people(a)}, {second} saw {_in_words(b)}."
    verb = rng.choice(("increased", "went from strength to strength and grew") if b > a else ("decreased", "shrank"))
    options = [
        f"Between {first} and {second} the count {verb} from {a:,} to {b:,}.",
        f"There {'was' if b == 1 else 'were'} {_people(b)} in {second}, "
        f"{abs(b - a)} {'more' if b > a else 'fewer'} than in {first}.",
        f"In {second}, {_rounded(b)} {'viewer' if b == 1 else 'viewers'} came, compared with {_rounded(a)} in {first}.",
    ]
    if a >= 5:
        options.append(f"Viewing was {'up' if b > a else 'down'} {abs(b / a - 1):.0%} in {second} on {first}.")
    if a and b / a >= 1.5:
        options.append(f"{second} drew {b / a:.1f} times the {a:,} viewers of {first}.")
    return rng.choice(options)


def _lately(facts: ItemFacts, rng: random.Random) -> list[str]:
    week, thirty = facts.recent[7], facts.recent[30]
    if thirty == 0:
        return ["The past thirty days saw no viewers."]
    options = [
        f"Over the past week it drew {_people(week)}.",
        f"The past 30 days brought {thirty:,} {'rating' if thirty == 1 else 'ratings'}, the final 7 days {week:,}.",
        f"Some {week / thirty:.0%} of the viewers of the past 30 days arrived in the past 7 days."
        if thirty >= 10
        else f"{_people(thirty)} over the last 30 days.",
    ]
    pace, before = week / 7, (thirty - week) / 23
    if pace > 1.3 * before:
        options.append("The daily pace of the last week is increasing.")
    elif pace < before / 1.3:
        options.append("Momentum over the last week has been waning.")
    return [rng.choice(options)]


def _catalogue_part(facts: ItemFacts, rng: random.Random) -> list[str]:
    attributes = facts.attributes
    genres, year = attributes.get("genres", ()), attributes.get("year")
    sentences = []
    if isinstance(genres, tuple) and genres:
        joined = rng.choice((" / ".join(genres), ", ".join(genres), " and ".join(genres)))
        sentences.append(
            rng.choice(
                (
                    f"Its genres are {joined}.",
                    f"Being a {joined.lower()} title, it has its audience.",
                    f"Genre: {joined}.",
                )
            )
        )
    if isinstance(year, float):
        sentences.append(
            rng.choice((f"It was made in {year:.0f}.", f"It is a {year:.0f} film.", f"Its release year is {year:.0f}."))
        )
    if facts.mean_rating is not None and rng.random() < 0.4:
        sentences.append(f"It is rated {facts.mean_rating:.1f} out of 10.")
    return sentences


def _forecast_part(point: ForecastPoint, drivers: Sequence[Driver], rng: random.Random) -> list[str]:
    start = point.window.start
    when = (
        f"{MONTHS[start.month - 1]} {start.year}"
        if start.day == 1
        else f"the {point.window.days:.0f} days starting {start:%Y-%m-%d}"
    )
    number = _rounded(point.expected) if point.expected >= 10 else f"{point.expected:.1f}"
    sentences = [
        rng.choice(
            (
                f"We predict {number} viewers for {when}.",
                f"The model's estimate for {when} comes to {number}.",
                f"In {when} we anticipate {number} ratings.",
            )
        ),
        rng.choice(
            (
                f"The likely range runs from {point.low:,.0f} to {point.high:,.0f}.",
                f"The prediction interval is {point.low:,.0f}–{point.high:,.0f} at 80%.",
                f"It takes place {point.rank:,} of the predicted list.",
                f"It is ranked #{point.rank:,}.",
            )
        ),
    ]
    top = max(drivers, key=lambda driver: driver.effect)
    low = min(drivers, key=lambda driver: driver.effect)
    if 0.02 < top.effect < 5:
        sentences.append(f"Above all, {top.label} adds {top.effect:.0%} to the estimate.")
    if low.effect < -0.02:
        sentences.append(f"A {-low.effect:.0%} cut to the estimate comes from {low.label}.")
    return sentences
