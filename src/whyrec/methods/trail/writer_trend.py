"""The [Trend] section: months, peak, the month in progress, and the last seven days against the thirty."""

from datetime import timedelta

from whyrec.data.facts import ItemFacts, MonthCount
from whyrec.evaluation.verification.titles import quoted
from whyrec.methods.trail.wording import Voice, day, month, sentence, small, whole

STEADY = 0.15
"""Months within 15% of each other read as steady."""
SPARSE_TOTAL = 5
NEW_DAYS = 35
FEWEST_FOR_PACE = 8
"""With fewer users in thirty days, a pace is noise and goes unmentioned."""
PACE_CHANGE = 1.25
"""The last week's daily pace counts as faster from 25% above that of the days before it."""


def trend_section(facts: ItemFacts, *, voice: Voice) -> str:
    """Tell an item's history in two to four sentences; every number is one of its facts."""
    if not facts.months or facts.first_seen is None:
        return _never_seen(facts, voice=voice)
    sentences = [_opening(facts, voice=voice)]
    pair = _pair(facts)
    if pair is not None and facts.total_users > SPARSE_TOTAL:
        sentences += _peak(facts, shown=pair, voice=voice)
    sentences += [*_month_so_far(facts, voice=voice), _last_days(facts, voice=voice)]
    return " ".join(sentence(text) for text in sentences)


def _never_seen(facts: ItemFacts, *, voice: Voice) -> str:
    title, cutoff = quoted(facts.title), day(facts.cutoff)
    return sentence(
        voice.pick(
            f"{title} has no history: nobody chose it before {cutoff}, so there is no trend to read",
            f"There is no history to go by, as nobody had chosen {title} before {cutoff}",
            f"Up to {cutoff}, {title} has no recorded history; whatever comes next starts from nothing",
        )
    )


def _pair(facts: ItemFacts) -> tuple[MonthCount, MonthCount] | None:
    """The last two complete months, unless both are empty."""
    complete = [count for count in facts.months if count.complete]
    if len(complete) < 2 or complete[-1].users + complete[-2].users == 0:
        return None
    return complete[-2], complete[-1]


def _opening(facts: ItemFacts, *, voice: Voice) -> str:
    pair = _pair(facts)
    assert facts.first_seen is not None, "a month in the history means a first day"
    if (facts.cutoff.date() - facts.first_seen).days <= NEW_DAYS:
        return _just_released(facts, voice=voice)
    if facts.total_users <= SPARSE_TOTAL:
        return _sparse(facts, voice=voice)
    if pair is None:
        return _dormant(facts, voice=voice)
    older, newer = pair
    if newer.users == 0:
        return _gone_quiet(facts, older, newer, voice=voice)
    if abs(newer.users - older.users) <= STEADY * max(newer.users, older.users):
        return _steady(facts, older, newer, voice=voice)
    return (_rising if newer.users > older.users else _falling)(facts, older, newer, voice=voice)


def _just_released(facts: ItemFacts, *, voice: Voice) -> str:
    assert facts.first_seen is not None, "only seen items come here"
    title, first = quoted(facts.title), day(facts.first_seen)
    users = voice.users(facts.total_users)
    return voice.pick(
        f"{title} is new: it first appeared on {first} and has drawn {users} in total",
        f"The record of {title} is short. It began on {first}, and {users} in all {_has(facts)} chosen it",
        f"First seen on {first}, {title} has had little time to settle; its total stands at {users}",
    )


def _has(facts: ItemFacts) -> str:
    return "has" if facts.total_users == 1 else "have"


def _sparse(facts: ItemFacts, *, voice: Voice) -> str:
    assert facts.first_seen is not None, "only seen items come here"
    title, first, users = quoted(facts.title), month(facts.first_seen), voice.users(facts.total_users)
    return voice.pick(
        f"Interest in {title} is thin: {users} in total since it first appeared in {first}",
        f"{title} rests on very few events: in all, {users} since its debut in {first}",
        f"Only {users} in total {_has(facts)} chosen {title}, which was first seen in {first}",
    )


def _dormant(facts: ItemFacts, *, voice: Voice) -> str:
    """Some history, but nothing in the last two complete months, or too short a log to hold two."""
    assert facts.first_seen is not None, "only seen items come here"
    title, first, users = quoted(facts.title), month(facts.first_seen), voice.users(facts.total_users)
    complete = [count for count in facts.months if count.complete]
    if len(complete) < 2:
        return f"{title} has drawn {users} in total since {first}"
    return voice.pick(
        f"{title} lies dormant: {users} in total since {first}, yet nobody in {_named(complete[-1])}",
        f"Of the audience of {title}, {users} in all since {first}, nobody came in {_named(complete[-1])}",
        f"Nobody chose {title} in {_named(complete[-1])}, though {users} in total have done so since {first}",
    )


def _gone_quiet(facts: ItemFacts, older: MonthCount, newer: MonthCount, *, voice: Voice) -> str:
    title, before, after = quoted(facts.title), _named(older), _named(newer, after=older)
    return voice.pick(
        f"{title} has gone quiet: {voice.users(older.users)} in {before}, then none in {after}",
        f"Interest in {title} ran dry, falling from {whole(older.users)} in {before} to zero in {after}",
    )


def _steady(facts: ItemFacts, older: MonthCount, newer: MonthCount, *, voice: Voice) -> str:
    title, before, after = quoted(facts.title), _named(older), _named(newer, after=older)
    return voice.pick(
        f"{title} is steady, with {voice.users(older.users)} in {before} and {whole(newer.users)} in {after}",
        f"{after} brought {title} {voice.users(newer.users)}, much the same as the {whole(older.users)} in {before}",
        f"Little has moved for {title}: {before} counted {voice.users(older.users)} and {after} {whole(newer.users)}",
    )


def _rising(facts: ItemFacts, older: MonthCount, newer: MonthCount, *, voice: Voice) -> str:
    title, before, after = quoted(facts.title), _named(older), _named(newer, after=older)
    if older.users == 0:
        return voice.pick(
            f"Interest in {title} has come back: nobody in {before}, then {voice.users(newer.users)} in {after}",
            f"{title} drew nobody in {before} but {voice.users(newer.users)} in {after}",
        )
    if newer.users >= 2 * older.users:
        verb = voice.pick("jumped", "surged", "more than doubled" if newer.users > 2 * older.users else "doubled")
    else:
        verb = voice.pick("rose", "grew", "climbed")
    users = voice.users(older.users)
    return voice.pick(
        f"The audience of {title} {verb} from {users} in {before} to {whole(newer.users)} in {after}",
        f"{title} is rising: {after} brought {voice.users(newer.users)}, up from {whole(older.users)} in {before}",
        f"After {users} in {before}, interest in {title} {verb} to {whole(newer.users)} in {after}",
    )


def _falling(facts: ItemFacts, older: MonthCount, newer: MonthCount, *, voice: Voice) -> str:
    title, before, after = quoted(facts.title), _named(older), _named(newer, after=older)
    verb = voice.pick("fell", "dropped", "sank") if 2 * newer.users < older.users else voice.pick("slipped", "declined")
    users = voice.users(older.users)
    return voice.pick(
        f"The audience of {title} {verb} from {users} in {before} to {whole(newer.users)} in {after}",
        f"{title} is fading: {after} brought {voice.users(newer.users)}, down from {whole(older.users)} in {before}",
        f"After {users} in {before}, interest in {title} {verb} to {whole(newer.users)} in {after}",
    )


def _named(count: MonthCount, *, after: MonthCount | None = None) -> str:
    """Name a month; the year is left out where the month before, just named, shares it."""
    with_year = after is None or after.window.start.year != count.window.start.year
    return month(count.window.start, with_year=with_year)


def _peak(facts: ItemFacts, *, shown: tuple[MonthCount, MonthCount], voice: Voice) -> list[str]:
    if len(facts.months) < 3:
        return []
    best = max(facts.months, key=lambda count: count.users)
    if best.users == max(count.users for count in shown):
        if best is shown[1] and best.complete:
            name = month(best.window.start, with_year=False)
            return [voice.pick(f"{name} is its best month so far", f"No month was stronger, so {name} is its peak")]
        return []
    when, users = month(best.window.start), voice.users(best.users)
    if not best.complete and best is facts.months[-1]:
        return []
    return [
        voice.pick(
            f"Its peak was {users} in {when}",
            f"It peaked in {when} at {users}",
            f"{when} remains its best month, with {users}",
        )
    ]


def _month_so_far(facts: ItemFacts, *, voice: Voice) -> list[str]:
    """The month in progress, said to be in progress."""
    latest = facts.months[-1]
    elapsed = (facts.cutoff - latest.window.start) // timedelta(days=1)
    if latest.window.end <= facts.cutoff or elapsed < 2:
        return []
    name, users = month(latest.window.start, with_year=False), voice.users(latest.users)
    if latest.users == 0:
        return [f"So far in {name}, {small(elapsed)} days in, nobody has chosen it"]
    sentences = [
        voice.pick(
            f"So far in {name}, {small(elapsed)} days in, the count is {users}",
            f"{name} has brought {users} so far, in its first {small(elapsed)} days",
            f"The first {small(elapsed)} days of {name} have added {users} so far",
        )
    ]
    best = max(count.users for count in facts.months)
    if latest.users == best and len(facts.months) > 2 and latest.users > facts.months[-2].users:
        sentences.append(f"Even unfinished, {name} is already its best month")
    return sentences


def _last_days(facts: ItemFacts, *, voice: Voice) -> str:
    week, thirty = facts.recent[7], facts.recent[30]
    if thirty == 0:
        return voice.pick("The last thirty days brought nobody new", "Nobody chose it in the last thirty days")
    if week == 0:
        return voice.pick(
            f"The last thirty days brought {voice.users(thirty)}, but the last seven days nobody",
            f"Of the {voice.users(thirty)} of the last thirty days, none came in the last seven days",
        )
    if week == thirty:
        who = "The only person" if week == 1 else f"All {voice.users(week)}"
        return f"{who} of the last thirty days came within the last seven days"
    told = voice.pick(
        f"{voice.users(week)} chose it in the last seven days and {whole(thirty)} in the last thirty days",
        f"Of the {voice.users(thirty)} of the last thirty days, {whole(week)} came in the last seven days",
        f"The last thirty days brought {voice.users(thirty)}, {whole(week)} of them in the last seven days",
    )
    if thirty < FEWEST_FOR_PACE:
        return told
    return told + _pace(week / 7, (thirty - week) / 23, voice=voice)


def _pace(week: float, before: float, *, voice: Voice) -> str:
    if week >= PACE_CHANGE * before:
        return voice.pick(
            ", so the daily pace is rising", "; the pace is accelerating", ", and interest per day is climbing"
        )
    if week <= before / PACE_CHANGE:
        return voice.pick(", so the daily pace is slowing", "; the pace is easing", ", and interest per day is fading")
    return voice.pick(", so the daily pace is steady", "; the daily pace is holding level")
