"""Facts about one film's history and forecast, true or false as asked: what a text in the manner of TRAIL tells."""

import itertools

from corpus_facts import Case, Fact, maker
from corpus_wording import ORDINALS, could_be_said, words


def complete(case: Case) -> list[tuple[str, int]]:
    """Months that lie wholly before the cut-off, with their users."""
    return [(key, users) for key, users, whole in case.facts["months"] if whole]


@maker
def month_count(case: Case, true: bool) -> Fact | None:
    """So many people in that month."""
    months = [(key, users) for key, users in complete(case) if users >= 8]
    if not months:
        return None
    key, users = case.rng.choice(months)
    text, says = case.say_count(users, true)
    return Fact({"n": text, "month": case.say_month(key)}, {"month": key, **says}, [f"month:{key}"])


@maker
def recent_count(case: Case, true: bool) -> Fact | None:
    """So many people in the last few days."""
    days, users = case.rng.choice(list(case.facts["recent"].items()))
    if users < 6:
        return None
    text, says = case.say_count(users, true)
    spell = {"3": ("three days", "3 days"), "7": ("seven days", "week"), "14": ("14 days", "fortnight", "two weeks")}
    span = case.rng.choice(spell.get(days, ("30 days", "thirty days")))
    return Fact({"n": text, "span": span}, {"days": int(days), **says}, [f"recent:{days}d"])


@maker
def total_count(case: Case, true: bool) -> Fact | None:
    """So many people so far."""
    users = case.facts["total"]
    text, says = case.say_count(users, true)
    return Fact({"n": text}, says, ["total"])


@maker
def expected(case: Case, true: bool) -> Fact | None:
    """The forecast number of people."""
    users = round(case.facts["forecast"]["expected"])
    if users < 8:
        return None
    text, says = case.say_count(users, true)
    # A number inside the interval would not be a falsehood that everybody calls one.
    while not true and case.facts["forecast"]["low"] <= says["said"] <= case.facts["forecast"]["high"]:
        text, says = case.say_count(users, true)
    return Fact({"n": text}, says, ["forecast"])


@maker
def interval(case: Case, true: bool) -> Fact | None:
    """The forecast's interval."""
    low, high = round(case.facts["forecast"]["low"]), round(case.facts["forecast"]["high"])
    if low < 4:
        return None
    factor = 1.0 if true else case.rng.choice((0.4, 1.7, 2.3)) if low >= 8 else 2.3
    low, high = round(factor * low), round(factor * high)
    return Fact({"low": str(low), "high": str(high)}, {"low": low, "high": high}, ["forecast:low", "forecast:high"])


@maker
def rank(case: Case, true: bool) -> Fact | None:
    """The place in the forecast."""
    place = case.facts["forecast"]["rank"]
    said = place if true else case.rng.choice([n for n in range(1, 11) if abs(n - place) > 2])
    return Fact({"nth": ORDINALS[said - 1], "n": str(said)}, {"rank": said}, ["rank"])


@maker
def rating(case: Case, true: bool) -> Fact | None:
    """The mean rating."""
    mean = case.facts["rating"]
    said = mean if true else mean + case.rng.choice((-2.1, -1.6, 1.7, 2.3) if mean < 7 else (-2.1, -1.6))
    return Fact({"n": f"{said:.1f}"}, {"rating": round(said, 1)}, ["rating"])


@maker
def first_month(case: Case, true: bool) -> Fact | None:
    """When it was first seen, where that is not simply when the log begins."""
    first = case.facts["first_seen"][:7]
    others = [key for key, _, _ in case.facts["months"] if key != first]
    if first <= "2013-03" or not others:
        return None
    said = first if true else case.rng.choice(others)
    return Fact({"month": case.say_month(said)}, {"month": said}, ["first_seen"])


@maker
def month_of_count(case: Case, true: bool) -> Fact | None:
    """In which month so many people came."""
    months = [(key, users) for key, users in complete(case) if users >= 8]
    if not months:
        return None
    key, users = case.rng.choice(months)
    # The number must fit one month alone, and the wrong month must be far from it.
    text, says = case.say_number(users)
    others = [
        k
        for k, n, _ in case.facts["months"]
        if k != key and abs(n - users) >= max(4, 0.3 * users) and not could_be_said(n, **says)
    ]
    if not others:
        return None
    said = key if true else case.rng.choice(others)
    return Fact({"n": text, "month": case.say_month(said)}, {"month": said, **says}, [f"month:{said}"])


@maker
def forecast_month(case: Case, true: bool) -> Fact | None:
    """Which month the forecast speaks of."""
    key = case.facts["forecast"]["start"][:7]
    if not case.facts["forecast"]["is_month"]:
        return None
    year, number = map(int, key.split("-"))
    said = key if true else f"{year}-{(number + case.rng.choice((-3, -2, -1, 1)) - 1) % 12 + 1:02d}"
    # Nobody forecasts "last May".
    case.month_style = "long" if case.month_style in ("last_name", "past_name", "relative") else case.month_style
    return Fact({"month": case.say_month(said)}, {"month": said}, ["forecast"])


def changes(case: Case, *, least: float) -> list[tuple[str, str, float]]:
    """Neighbouring complete months with a marked change: earlier, later, ratio."""
    months = [(key, users) for key, users in complete(case)]
    pairs = [(a[0], b[0], b[1] / a[1]) for a, b in itertools.pairwise(months) if min(a[1], b[1]) >= 8]
    return [pair for pair in pairs if pair[2] >= 1 + least or pair[2] <= 1 / (1 + least)]


@maker
def change(case: Case, true: bool) -> Fact | None:
    """Up or down from one month to the next."""
    found = changes(case, least=0.25)
    if not found:
        return None
    early, late, ratio = case.rng.choice(found)
    said_up = (ratio > 1) == true
    slots = {"early": case.say_month(early), "late": case.say_month(late)}
    says = {"early": early, "late": late, "up": said_up}
    return Fact(slots, says, [f"month:{early}", f"month:{late}"], said_up)


@maker
def latest_change(case: Case, true: bool) -> Fact | None:
    """Up or down in the last complete month, the one before being taken as read."""
    months = complete(case)[-2:]
    found = changes(case, least=0.25)
    if len(months) < 2 or not found or found[-1][1] != months[-1][0]:
        return None
    early, late, ratio = found[-1]
    said_up = (ratio > 1) == true
    says = {"early": early, "late": late, "up": said_up}
    return Fact({"late": case.say_month(late)}, says, [f"month:{early}", f"month:{late}"], said_up)


@maker
def later_change(case: Case, true: bool) -> Fact | None:
    """Up or down some months after a month that is named."""
    months = complete(case)
    pairs = [
        (early, late, n)
        for i, early in enumerate(months)
        for n, late in enumerate(months[i + 2 :], start=2)
        if min(early[1], late[1]) >= 8 and not 0.8 < late[1] / early[1] < 1.25
    ]
    if not pairs:
        return None
    early, late, n = case.rng.choice(pairs)
    said_up = (late[1] > early[1]) == true
    says = {"early": early[0], "late": late[0], "up": said_up}
    slots = {"early": case.say_month(early[0]), "k": words(n)}
    return Fact(slots, says, [f"month:{early[0]}", f"month:{late[0]}"], said_up)


@maker
def forecast_change(case: Case, true: bool) -> Fact | None:
    """The forecast against the last 30 days."""
    last, coming = case.facts["recent"]["30"], case.facts["forecast"]["expected"]
    if last < 8 or not (coming / last >= 1.25 or coming / last <= 0.8):
        return None
    said_up = (coming > last) == true
    return Fact({}, {"up": said_up}, ["forecast", "recent:30d"], said_up)
