"""Shapes of what can be said about a user's history, motivations and aspect levels."""

from collections.abc import Sequence

from claim_catalogue_shapes import GENRES, is_quotable, other_item
from claim_numbers import UnfitError
from claim_slots import Filling, Shape, Slot, Sources

_FRACTIONS = (0.5, 1 / 3, 0.25)
_RECENT = 10


def count(sources: Sources, genre: str, history: Sequence[str] | None = None) -> int:
    """How many films of a history have a genre."""
    told = sources.case["history"] if history is None else history
    return sum(genre in sources.world.items[item]["genres"] for item in told)


def lift(sources: Sources, genre: str) -> float:
    """The genre's share in the history over the average user's."""
    share = count(sources, genre) / len(sources.case["history"])
    return float(share / sources.world.average[f"genres={genre.lower().replace('-', ' ')}"])


def seen(sources: Sources, plant: str | None) -> Filling:
    titles = sources.world.items
    told = sources.pick([item for item in sources.case["history"] if is_quotable(titles[item]["title"])])
    if plant == "h":
        told = other_item(sources)
    return Filling({"h": Slot("title", told, plant == "h")}, {"h": ["seen", told]})


def count_last(sources: Sources, plant: str | None) -> Filling:
    """Of the last ten, so many are of a genre."""
    last = sources.case["history"][-_RECENT:]
    counts = {genre: count(sources, genre, last) for genre in GENRES}
    genre = sources.pick([name for name, n in counts.items() if n >= 2])
    k = counts[genre]
    told = sources.pick([n for n in range(2, 10) if abs(n - k) >= 2]) if plant == "k" else k
    told = sources.pick([n for n in range(2, 10) if abs(n - k) >= 2]) if plant == "k" else k
    if plant == "g":
        genre = sources.pick([name for name, n in counts.items() if abs(n - k) >= 2])
    slots = {"k": Slot("number", told), "g": Slot("genre", genre, plant == "g")}
    says = ["count_last", "@g", _RECENT, "@k"]
    return Filling(slots, {"k": says, "g": says})


def fraction(sources: Sources, plant: str | None) -> Filling:
    """A half, a third or a quarter of all films, within three points."""
    n = len(sources.case["history"])
    shares = {genre: count(sources, genre) / n for genre in GENRES}
    fits = [(name, k) for name, x in shares.items() for k, part in enumerate(_FRACTIONS) if abs(x - part) < 0.03]
    genre, k = sources.pick(fits)
    if plant == "f":
        k = sources.pick([i for i, part in enumerate(_FRACTIONS) if abs(part - shares[genre]) > 0.12])
    if plant == "g":
        genre = sources.pick([name for name, x in shares.items() if abs(x - _FRACTIONS[k]) > 0.12])
    slots = {"f": Slot("choice", k, plant == "f"), "g": Slot("genre", genre, plant == "g")}
    says = ["fraction", "@g", round(_FRACTIONS[k], 4)]
    return Filling(slots, {"f": says, "g": says})


def history(sources: Sources, plant: str | None) -> Filling:
    n = len(sources.case["history"])
    return Filling({"n": Slot("number", n, plant == "n")}, {"n": ["history", "@n"]})


def versus_average(sources: Sources, plant: str | None) -> Filling:
    """More, or less, than the average viewer."""
    lifts = {genre: lift(sources, genre) for genre in GENRES}
    more = [name for name, x in lifts.items() if x >= 1.4 and count(sources, name) >= 3]
    less = [name for name, x in lifts.items() if x <= 0.6]
    k = int(sources.rng.random() < 0.3)
    pools = (more, less)
    genre = sources.pick(pools[1 - k if plant == "g" else k])
    told = 1 - k if plant == "c" else k
    slots = {"g": Slot("genre", genre, plant == "g"), "c": Slot("choice", told, plant == "c")}
    says = ["versus_average", "@g", ("more", "less")[told]]
    return Filling(slots, {"g": says, "c": says})


def times_average(sources: Sources, plant: str | None) -> Filling:
    """Twice, or three times, as often as the average viewer."""
    lifts = {genre: lift(sources, genre) for genre in GENRES if count(sources, genre) >= 3}
    fits = [(name, k) for name, x in lifts.items() for k, r in enumerate((2, 3)) if abs(x / r - 1) < 0.08]
    if plant == "r":
        # Neither two nor three times as often, by far.
        fits = [(name, k) for name, x in lifts.items() for k in (0, 1) if x < 1.2]
    genre, k = sources.pick(fits)
    slots = {"g": Slot("genre", genre), "r": Slot("choice", k, plant == "r")}
    says = ["times_average", "@g", (2, 3)[k]]
    return Filling(slots, {"g": says, "r": says})


def likes(sources: Sources, plant: str | None) -> Filling:
    n = len(sources.case["history"])
    liked = [name for name in GENRES if lift(sources, name) >= 1.4 and count(sources, name) >= max(3, 0.2 * n)]
    not_liked = [name for name in GENRES if lift(sources, name) <= 0.5]
    genre = sources.pick(not_liked if plant == "g" else liked)
    return Filling({"g": Slot("genre", genre, plant == "g")}, {"g": ["likes", "@g"]})


def never(sources: Sources, plant: str | None) -> Filling:
    counts = {genre: count(sources, genre) for genre in GENRES}
    told = sources.pick([name for name, n in counts.items() if (n >= 3 if plant == "o" else n == 0)])
    return Filling({"o": Slot("genre", told, plant == "o")}, {"o": ["never", "@o"]})


def most(sources: Sources, plant: str | None) -> Filling:
    """The genre most often taken, clearly."""
    counts = sorted(((count(sources, genre), genre) for genre in GENRES), reverse=True)
    if counts[0][0] < 1.2 * counts[1][0]:
        raise UnfitError("no clear favourite")
    rare = [genre for n, genre in counts if 0 < n <= counts[0][0] / 2]
    genre = sources.pick(rare) if plant == "g" else counts[0][1]
    return Filling({"g": Slot("genre", genre, plant == "g")}, {"g": ["most", "@g"]})


def turning(sources: Sources, plant: str | None) -> Filling:
    """A genre's share of the last ten against that of all before."""
    past, last = sources.case["history"][:-_RECENT], sources.case["history"][-_RECENT:]
    if len(past) < _RECENT:
        raise UnfitError("too short a history")
    steps = {name: count(sources, name, last) / len(last) - count(sources, name, past) / len(past) for name in GENRES}
    genre = sources.pick([name for name, step in steps.items() if abs(step) >= 0.25])
    falls = (steps[genre] < 0) != (plant == "d")
    slots = {"g": Slot("genre", genre), "d": Slot("choice", int(falls), plant == "d")}
    says = ["turning", "@g", _RECENT, "down" if falls else "up"]
    return Filling(slots, {"g": says, "d": says})


def _motive(slot: str, *, is_shown: bool) -> Shape:
    def shape(sources: Sources, plant: str | None) -> Filling:
        told_strong = is_shown != (plant == slot)
        strengths = sources.case["motivations"]
        told = sources.pick([key for key, n in strengths.items() if (n >= 2 if told_strong else n == 0)])
        return Filling({slot: Slot("motive", told, plant == slot)}, {slot: ["motivation", told, is_shown]})

    return shape


def strongest(sources: Sources, plant: str | None) -> Filling:
    strengths = sources.case["motivations"]
    top = [key for key, n in strengths.items() if n == max(strengths.values())]
    if len(top) > 1 or strengths[top[0]] < 2:
        raise UnfitError("no single strongest")
    told = sources.pick([key for key, n in strengths.items() if n <= 1]) if plant == "w" else top[0]
    return Filling({"w": Slot("motive", told, plant == "w")}, {"w": ["strongest", told]})


def _trait(slot: str, *, is_shown: bool) -> Shape:
    def shape(sources: Sources, plant: str | None) -> Filling:
        own = sources.case["traits"]
        other = [key for key in sources.world.traits if key not in own]
        told = sources.pick(list(own) if is_shown != (plant == slot) else other)
        return Filling({slot: Slot("trait", told, plant == slot)}, {slot: ["trait", told, is_shown]})

    return shape


def _level(slot: str, whose: str) -> Shape:
    """The end of a scale that the film, or the user, stands nearer to."""

    def shape(sources: Sources, plant: str | None) -> Filling:
        key, level = sources.pick(list(sources.case["levels"].items()))
        is_high = (level[whose] > level["mean"]) != (plant == slot)
        side = "high" if is_high else "low"
        return Filling({slot: Slot("aspect", (key, side), plant == slot)}, {slot: ["level", whose, key, side]})

    return shape


def level_value(sources: Sources, plant: str | None) -> Filling:
    key, level = sources.pick(list(sources.case["levels"].items()))
    slots = {"k": Slot("name", key), "v": Slot("number", level["item"], plant == "v")}
    says = ["level_value", "item", key, "@v"]
    return Filling(slots, {"v": says, "k": says})


def versus(sources: Sources, plant: str | None) -> Filling:
    """The film's level against the mean film's (``c``) or the user's (``u``); whether both lean alike (``e``)."""
    key, level = sources.pick(list(sources.case["levels"].items()))
    above = (level["item"] > level["mean"]) != (plant == "c")
    over = (level["item"] > level["user"]) != (plant == "u")
    alike = ((level["item"] > level["mean"]) == (level["user"] > level["mean"])) != (plant == "e")
    if abs(level["item"] - level["user"]) < 1.5 and plant != "e":
        raise UnfitError("too near")
    slots = {
        "k": Slot("name", key),
        "c": Slot("choice", int(not above), plant == "c"),
        "u": Slot("choice", int(not over), plant == "u"),
        "e": Slot("choice", int(not alike), plant == "e"),
    }
    says = {
        "c": ["versus_mean", key, "above" if above else "below"],
        "u": ["versus_user", key, "above" if over else "below"],
        "e": ["same_side", key, alike],
    }
    return Filling(slots, says)


USER_SHAPES: dict[str, Shape] = {
    "seen": seen,
    "count_last": count_last,
    "fraction": fraction,
    "history": history,
    "versus_average": versus_average,
    "times_average": times_average,
    "likes": likes,
    "never": never,
    "most": most,
    "turning": turning,
    "motive": _motive("w", is_shown=True),
    "no_motive": _motive("z", is_shown=False),
    "strongest": strongest,
    "trait": _trait("x", is_shown=True),
    "no_trait": _trait("b", is_shown=False),
    "level": _level("a", "item"),
    "user_level": _level("l", "user"),
    "level_value": level_value,
    "versus": versus,
}
