"""Peaks and comparisons in one film's history, true or false as asked."""

from corpus_facts import Case, Fact, maker
from corpus_trail_facts import changes, complete
from corpus_wording import FRACTIONS


def _peak(case: Case) -> tuple[str, int, list[str]] | None:
    """The best complete month, if it stands out, and months that are far from it."""
    months = complete(case)
    if len(months) < 3:
        return None
    key, users = max(months, key=lambda it: it[1])
    rest = [n for k, n, _ in case.facts["months"] if k != key]
    if users < 12 or max(rest) > 0.9 * users:
        return None
    return key, users, [k for k, n in months if n <= 0.75 * users]


@maker
def peak_month(case: Case, true: bool) -> Fact | None:
    """The best month."""
    found = _peak(case)
    if found is None or not found[2]:
        return None
    said = found[0] if true else case.rng.choice(found[2])
    return Fact({"month": case.say_month(said)}, {"month": said}, [f"month:{found[0]}"])


@maker
def peak_count(case: Case, true: bool) -> Fact | None:
    """The best month and how many came then."""
    found = _peak(case)
    if found is None:
        return None
    key, users, _ = found
    text, says = case.say_count(users, true)
    return Fact({"month": case.say_month(key), "n": text}, {"month": key, **says}, [f"month:{key}"])


@maker
def low_month(case: Case, true: bool) -> Fact | None:
    """The weakest of the complete months."""
    months = complete(case)
    if len(months) < 3:
        return None
    key, users = min(months, key=lambda it: it[1])
    others = [k for k, n in months if n >= 1.5 * users + 3]
    rest = [n for k, n, _ in case.facts["months"] if k != key]
    if not others or min(rest) <= 1.1 * users:
        return None
    said = key if true else case.rng.choice(others)
    return Fact({"month": case.say_month(said)}, {"month": said}, [f"month:{key}"])


@maker
def past_peak(case: Case, true: bool) -> Fact | None:
    """Whether the last complete month is the best one; affirmative: it is."""
    found = _peak(case)
    if found is None:
        return None
    last = complete(case)[-1]
    is_peak = last[0] == found[0]
    if not is_peak and last[1] > 0.75 * found[1]:
        return None
    said = is_peak == true
    return Fact({"late": case.say_month(last[0])}, {"late": last[0], "is_peak": said}, [f"month:{last[0]}"], said)


@maker
def more_than(case: Case, true: bool) -> Fact | None:
    """More, or fewer, in one month than in another, not always its neighbour."""
    months = [(key, users) for key, users in complete(case) if users >= 6]
    pairs = [(a, b) for a in months for b in months if a[1] >= 1.25 * b[1]]
    if not pairs:
        return None
    more, fewer = case.rng.choice(pairs)
    said_more = case.rng.random() < 0.5
    first, second = (more, fewer) if said_more == true else (fewer, more)
    slots = {"one": case.say_month(first[0]), "other": case.say_month(second[0])}
    says = {"one": first[0], "other": second[0], "more": said_more}
    return Fact(slots, says, [f"month:{first[0]}", f"month:{second[0]}"], said_more)


@maker
def factor(case: Case, true: bool) -> Fact | None:
    """Doubled, or halved, from one month to the next; a falsehood turns it round."""
    found = [it for it in changes(case, least=0.5) if 1.85 <= it[2] <= 2.2 or 0.45 <= it[2] <= 0.54]
    if not found:
        return None
    early, late, ratio = case.rng.choice(found)
    said_up = (ratio > 1) == true
    slots = {"early": case.say_month(early), "late": case.say_month(late)}
    says = {"early": early, "late": late, "times": 2.0 if said_up else 0.5}
    return Fact(slots, says, [f"month:{early}", f"month:{late}"], said_up)


@maker
def percent(case: Case, true: bool) -> Fact | None:
    """Changed by so many per cent; a falsehood has another figure, or turns it round."""
    found = [it for it in changes(case, least=0.25) if it[2] < 2.5]
    if not found:
        return None
    early, late, ratio = case.rng.choice(found)
    by = round(100 * abs(ratio - 1))
    said_up, said = ratio > 1, by
    if not true and by < 95 and case.rng.random() < 0.5:
        said_up = not said_up
    elif not true:
        said = by + 35 if by < 55 else by - 30
    is_rounded = case.rng.random() < 0.4 and abs(5 * round(said / 5) - said) <= 0.06 * said
    said = 5 * round(said / 5) if is_rounded else said
    text = f"{case.rng.choice(('about', 'some', 'roughly'))} {said}" if is_rounded else str(said)
    slots = {"early": case.say_month(early), "late": case.say_month(late), "p": text}
    says = {"early": early, "late": late, "percent": said, "up": said_up}
    return Fact(slots, says, [f"month:{early}", f"month:{late}"], said_up)


@maker
def fraction(case: Case, true: bool) -> Fact | None:
    """Up or down by a quarter, a third or a half; a falsehood turns it round."""
    found = [
        (early, late, ratio, part)
        for early, late, ratio in changes(case, least=0.2)
        for part in FRACTIONS
        if abs(abs(ratio - 1) - part) <= 0.035
    ]
    if not found:
        return None
    early, late, ratio, part = case.rng.choice(found)
    said_up = (ratio > 1) == true
    slots = {"early": case.say_month(early), "late": case.say_month(late), "part": FRACTIONS[part]}
    says = {"early": early, "late": late, "part": round(part, 3), "up": said_up}
    return Fact(slots, says, [f"month:{early}", f"month:{late}"], said_up)


@maker
def highest_since(case: Case, true: bool) -> Fact | None:
    """The latest month is the best since an earlier one; a falsehood says so though one between was better."""
    months = complete(case)
    if len(months) < 4:
        return None
    late, users = months[-1]
    fits, fails = [], []
    for i in range(len(months) - 2):
        between = [n for _, n in months[i + 1 : -1]]
        if users >= 1.15 * max(between) and months[i][1] >= users:
            fits.append(months[i][0])
        if max(between) >= 1.25 * users:
            fails.append(months[i][0])
    found = fits if true else fails
    if not found:
        return None
    since = case.rng.choice(found)
    slots = {"late": case.say_month(late), "since": case.say_month(since)}
    return Fact(slots, {"late": late, "since": since}, [f"month:{late}", f"month:{since}"])
