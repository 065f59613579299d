"""Shapes of what can be said about a film's months and forecast."""

from itertools import pairwise

from claim_numbers import UnfitError
from claim_slots import Filling, Shape, Slot, Sources

Count = tuple[str, int]


def _whole(sources: Sources) -> list[Count]:
    return [(month, users) for month, users, complete in sources.case["months"] if complete]


def _up_to_now(sources: Sources) -> list[Count]:
    """Whole months, where none has just begun: that would make "every month since" doubtful."""
    if not sources.case["months"][-1][2]:
        raise UnfitError("the last month is seen in part")
    return _whole(sources)


def _differ(one: float, other: float) -> bool:
    return abs(one - other) >= max(3, 0.25 * max(one, other))


def _pair(sources: Sources, *, least: int = 8) -> tuple[Count, Count]:
    months = _whole(sources)
    pairs = [(a, b) for i, a in enumerate(months) for b in months[i + 1 :] if _differ(a[1], b[1])]
    return sources.pick([(a, b) for a, b in pairs if min(a[1], b[1]) >= least])


def month_users(sources: Sources, plant: str | None) -> Filling:
    month, users = sources.pick([count for count in _whole(sources) if count[1] >= 8])
    told = month
    if plant == "m":
        told = sources.pick([other for other, count in _whole(sources) if _differ(count, users)])
    says = ["users", "@m", "@n"]
    slots = {"m": Slot("month", told, plant == "m"), "n": Slot("number", users, plant == "n")}
    return Filling(slots, {"m": says, "n": says})


def two_months(sources: Sources, plant: str | None) -> Filling:
    (m1, n1), (m2, n2) = _pair(sources)
    falls = (n2 < n1) != (plant == "d")
    slots = {
        "m1": Slot("month", m1),
        "m2": Slot("month", m2),
        "n1": Slot("number", n1, plant == "n1"),
        "n2": Slot("number", n2, plant == "n2"),
        "d": Slot("choice", int(falls), plant == "d"),
        "c": Slot("choice", int((n2 < n1) != (plant == "c")), plant == "c"),
    }
    first, second = ["users", "@m1", "@n1"], ["users", "@m2", "@n2"]
    direction = ["direction", m1, m2, "down" if falls else "up"]
    more = ["more", m2, m1] if slots["c"].value == 0 else ["more", m1, m2]
    return Filling(slots, {"m1": first, "n1": first, "m2": second, "n2": second, "d": direction, "c": more})


def run(sources: Sources, plant: str | None) -> Filling:
    """At least two steps up, or down, to the last whole month."""
    months = _up_to_now(sources)
    steps = [b[1] - a[1] for a, b in pairwise(months)]
    length = 0
    while length < len(steps) and steps[-1 - length] * steps[-1] > 0:
        length += 1
    if length < 2:
        raise UnfitError("no run")
    falls = (steps[-1] < 0) != (plant == "d")
    start = months[-1 - length][0]
    slots = {"m": Slot("month", start), "d": Slot("choice", int(falls), plant == "d")}
    return Filling(slots, {"d": ["run", start, months[-1][0], "down" if falls else "up"]})


def _extreme(sources: Sources, plant: str | None, *, best: bool) -> Filling:
    months = _whole(sources)
    ordered = sorted(months, key=lambda count: -count[1] if best else count[1])
    if len(months) < 3 or abs(ordered[0][1] - ordered[1][1]) < 2:
        raise UnfitError("no clear extreme")
    told, users = ordered[0]
    if any((count >= users) if best else (count <= users) for _, count, whole in sources.case["months"] if not whole):
        raise UnfitError("a month seen in part goes further")
    if plant == "m":
        told = sources.pick([month for month, count in months if _differ(count, users)])
    slots = {"m": Slot("month", told, plant == "m"), "n": Slot("number", users, plant == "n")}
    return Filling(slots, {"m": ["peak" if best else "trough", "@m"], "n": ["extreme_users", best, "@n"]})


def peak(sources: Sources, plant: str | None) -> Filling:
    return _extreme(sources, plant, best=True)


def trough(sources: Sources, plant: str | None) -> Filling:
    return _extreme(sources, plant, best=False)


def ratio(sources: Sources, plant: str | None) -> Filling:
    """Doubled, tripled or halved, near enough that nobody would quarrel."""
    months, found = _whole(sources), []
    for i, (m1, n1) in enumerate(months):
        for m2, n2 in months[i + 1 :]:
            near = [k for k, times in enumerate((2, 3, 0.5)) if n1 >= 8 and abs(n2 / n1 / times - 1) < 0.05]
            found += [(m1, m2, k) for k in near]
    m1, m2, k = sources.pick(found)
    told = sources.pick([other for other in range(3) if other != k]) if plant == "r" else k
    slots = {"m1": Slot("month", m1), "m2": Slot("month", m2), "r": Slot("choice", told, plant == "r")}
    return Filling(slots, {"r": ["ratio", m1, m2, (2, 3, 0.5)[told]]})


def percent(sources: Sources, plant: str | None) -> Filling:
    (m1, n1), (m2, n2) = _pair(sources, least=15)
    change = 100 * (n2 - n1) / n1
    if not 20 <= abs(change) <= 95:
        raise UnfitError("no handy percentage")
    falls = (change < 0) != (plant == "d")
    slots = {
        "m1": Slot("month", m1),
        "m2": Slot("month", m2),
        "p": Slot("number", abs(change), plant == "p"),
        "d": Slot("choice", int(falls), plant == "d"),
    }
    says = ["percent", m1, m2, "down" if falls else "up", "@p"]
    return Filling(slots, {"p": says, "d": says})


def since(sources: Sources, plant: str | None) -> Filling:
    """The last whole month is the highest, or lowest, since an earlier one that was higher, or lower."""
    months = _up_to_now(sources)
    last = months[-1]
    found = []
    for i in range(len(months) - 2):
        between = [users for _, users in months[i + 1 : -1]]
        if max(between) < last[1] < months[i][1]:
            found.append((months[i][0], 0))
        if min(between) > last[1] > months[i][1]:
            found.append((months[i][0], 1))
    start, k = sources.pick(found)
    told = 1 - k if plant == "c" else k
    slots = {"m": Slot("month", last[0]), "s": Slot("month", start), "c": Slot("choice", told, plant == "c")}
    return Filling(slots, {"c": ["since", last[0], start, ("highest", "lowest")[told]]})


def first(sources: Sources, plant: str | None) -> Filling:
    """The month of the first rating; only where the log had begun well before."""
    seen = sources.case["first_seen"]
    if seen < "2013-03-20":
        raise UnfitError("may have been there before")
    told = seen[:7]
    if plant == "m":
        told = sources.pick([month for month, _ in _whole(sources) if month != told])
    return Filling({"m": Slot("month", told, plant == "m")}, {"m": ["first", "@m"]})


def _recent(days: int) -> Shape:
    def shape(sources: Sources, plant: str | None) -> Filling:
        users = sources.case["recent"][str(days)]
        if users < 4:
            raise UnfitError("too few")
        return Filling({"n": Slot("number", users, plant == "n")}, {"n": ["recent", days, "@n"]})

    return shape


def total(sources: Sources, plant: str | None) -> Filling:
    return Filling({"n": Slot("number", sources.case["total"], plant == "n")}, {"n": ["total", "@n"]})


def forecast(sources: Sources, plant: str | None) -> Filling:
    point = sources.case["forecast"]
    if point["expected"] < 10:
        raise UnfitError("too few")
    latest, users = _whole(sources)[-1]
    slots = {
        "n": Slot("number", point["expected"], plant == "n"),
        "lo": Slot("number", point["low"], plant == "lo"),
        "hi": Slot("number", point["high"], plant == "hi"),
        "k": Slot("number", point["rank"], plant == "k"),
    }
    says = {"n": ["forecast", "@n"], "lo": ["low", "@lo"], "hi": ["high", "@hi"], "k": ["rank", "@k"]}
    if plant == "c" and not _differ(users, point["expected"]):
        raise UnfitError("too close to call")
    if _differ(users, point["expected"]):
        fewer = (point["expected"] < users) != (plant == "c")
        slots |= {"m": Slot("month", latest), "c": Slot("choice", int(fewer), plant == "c")}
        says["c"] = ["forecast_vs", latest, "below" if fewer else "above"]
    return Filling(slots, says)


FILM_SHAPES: dict[str, Shape] = {
    "month_users": month_users,
    "two_months": two_months,
    "run": run,
    "peak": peak,
    "trough": trough,
    "ratio": ratio,
    "percent": percent,
    "since": since,
    "first": first,
    "recent7": _recent(7),
    "recent30": _recent(30),
    "total": total,
    "forecast": forecast,
}
