"""Why an item stands in a user's list: the user's pattern, a reason for this very pair, and what others' reasons say.

Every text is verified against what it speaks of: the user's history, or that of whoever a reason is about, each
strictly before its moment. What does not pass is not told: the offline writer's pattern takes a pattern's place, and
reasons of others are left out of the text. Who these others are is not told.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from whyrec.evaluation.verification.titles import quoted
from whyrec.interfaces import Evidence, Verdict
from whyrec.methods.curec.artefacts import Pattern, Reason
from whyrec.methods.curec.attended import AttendedReason, read_reasons
from whyrec.methods.curec.explanation_parts import Checker, Part, joined, set_apart
from whyrec.methods.curec.histories import Interaction, UserHistory
from whyrec.methods.curec.offline import OfflineWriter
from whyrec.methods.curec.offline.writer import WRITER as OFFLINE
from whyrec.methods.curec.reasons import ReasonRequest
from whyrec.methods.curec.serving import Asked, Served
from whyrec.recommending.explained import ExplainedEntry, ListPlace

INTERESTS, WHY, OTHERS = "Interests", "Reason", "Others"
"""The sections of an explanation."""
_MOST_TOLD = 3
"""Of the verified reasons of others, so many stand in the text, those that are looked at most."""
_MOST_SHARED = 5
_MOST_POPULAR = 10
"""The last place that counts as popular."""
_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class ExplainedRecommendation(ExplainedEntry):
    """One entry of a list with everything that its explanation rests on."""

    effect: float
    """What all reasons together add to the score: 0 where they have no part in the ranking."""
    pattern: Pattern | None
    """What ranks; None for somebody of whom nothing is known. It is told only if it is verified."""
    why: str
    """The reason for this very pair, written from the history."""
    reasons: tuple[AttendedReason, ...]
    """By others, those that are looked at most first; else the newest first."""
    unattended: float | None
    """Share of the attention that goes to none of the reasons."""

    @property
    def told(self) -> tuple[AttendedReason, ...]:
        """The reasons by others that stand in the explanation's text: verified ones, those looked at most."""
        return tuple(read for read in self.reasons if read.verified)[:_MOST_TOLD]

    def record(self) -> dict[str, object]:
        """The entry as JSON holds it; users other than the one whom the list is for are not named."""
        reasons = [
            {
                "text": read.reason.text,
                "timestamp": read.reason.timestamp.isoformat(),
                "writer": read.reason.writer,
                "verified": read.verified,
                "attention": read.weight,
            }
            for read in self.reasons
        ]
        return {
            # Classes with slots are made anew, which a bare super() does not know of.
            **ExplainedEntry.record(self),
            "effect": self.effect,
            "pattern": None if self.pattern is None else self.pattern.text,
            "reasons": reasons,
            "unattended": self.unattended,
        }


@dataclass(frozen=True, slots=True)
class Pair:
    """A user and an item to be explained."""

    place: ListPlace
    asked: Asked
    history: UserHistory
    """What the user took strictly before the moment."""
    pattern: Pattern | None
    row: int
    """Of the item in the catalogue."""


CheckedReasons = dict[tuple[Reason, tuple[str, ...]], Part]
"""Reasons of others that were checked before, each with the history that it was checked against."""


def explain_pair(
    pair: Pair,
    served: Served,
    *,
    writer: OfflineWriter,
    histories: Mapping[str, UserHistory],
    checked_before: CheckedReasons | None = None,
) -> ExplainedRecommendation:
    """Write and verify why an item suits a user.

    Args:
        pair: Whom and what.
        served: Model and texts.
        writer: Writes the pair's reason, and verifies.
        histories: Of the users whose reasons are read, by user_id; of one who is missing nothing can be verified.
        checked_before: Is looked into and added to: one reason is read for many users. None checks each anew.
    """
    known = {} if checked_before is None else checked_before
    reasons, unattended = read_reasons(pair.asked, pair.row, served)
    checker, user_id, item_id = Checker(writer), pair.place.user_id, pair.place.item_id
    interests, authors = _interests(pair, checker)
    written = _own_reason(pair, writer)
    own = checker.part(WHY, written.text, history=pair.history, item_id=item_id)
    parts = [_of_other(checker, read.reason, histories=histories, known=known) for read in reasons]
    checked = [
        set_apart(part, prefix=f"reason{number}/", label=f"for the user of reason {number}")
        for number, part in enumerate(parts, 1)
    ]
    # What an uncheckable text says must not pass for verified because its neighbours are.
    sound = [number for number, part in enumerate(checked) if part.verdict.verified][:_MOST_TOLD]
    authors += [written.writer, *(reasons[number].reason.writer for number in sound)]
    attended = tuple(
        replace(read, verified=other.verdict.verified) for read, other in zip(reasons, checked, strict=True)
    )
    taken_away = served.score(pair.asked, pair.row, without=[reason.row for reason in reasons])
    effect = served.score(pair.asked, pair.row) - taken_away
    evidence = [*_shared_aspects(pair, writer), *_attention(attended, unattended), _effect(effect)]
    return ExplainedRecommendation(
        explanation=joined(
            [*interests, own, *(checked[number] for number in sound)],
            evidence,
            user_id=user_id,
            item_id=item_id,
            writer=" + ".join(dict.fromkeys(authors)),
        ),
        title=pair.place.title,
        rank=pair.place.rank,
        score=pair.place.score,
        effect=effect,
        pattern=pair.pattern,
        why=written.text,
        reasons=attended,
        unattended=unattended,
    )


def explain_popular(place: ListPlace, *, users: float, writer: OfflineWriter) -> ExplainedRecommendation:
    """Say that nothing is known of a user, who is therefore shown what is popular.

    Args:
        place: Of the list of popular items.
        users: As ``popularity_`` has it: the whole part is how many took the item of late.
        writer: Verifies.
    """
    is_popular = place.rank is not None and place.rank <= _MOST_POPULAR
    stands = "is among" if is_popular else "is not among"
    text = f"Nothing is known of this user yet. {quoted(place.title)} {stands} the most popular items of late."
    told = Checker(writer).part(WHY, text, history=UserHistory(place.user_id), item_id=place.item_id)
    popular = Evidence("popularity", "recent", "users of the last 30 days", float(int(users)), "users")
    return ExplainedRecommendation(
        explanation=joined([told], [popular], user_id=place.user_id, item_id=place.item_id, writer=OFFLINE),
        title=place.title,
        rank=place.rank,
        score=place.score,
        effect=0.0,
        pattern=None,
        why=text,
        reasons=(),
        unattended=None,
    )


def _own_reason(pair: Pair, writer: OfflineWriter) -> Reason:
    last = pair.history.until
    assert last is not None, "somebody without a history is explained otherwise"
    request = ReasonRequest(Interaction(pair.history.user_id, pair.place.item_id, last + _INSTANT), pair.history, None)
    return writer.write_reasons([request])[0]


def told_pattern(pattern: Pattern, *, history: UserHistory, writer: OfflineWriter) -> Pattern:
    """The pattern that ranks, or the offline writer's in the place of a language model's that does not hold.

    Args:
        pattern: Of the user.
        history: What the user took strictly before the moment.
        writer: Verifies, and writes.
    """
    return _told(Checker(writer), pattern, history=history)[0]


def _interests(pair: Pair, checker: Checker) -> tuple[list[Part], list[str]]:
    """What the user is interested in, and who says so."""
    if pair.pattern is None:
        return [], []
    pattern, part = _told(checker, pair.pattern, history=pair.history)
    return [part], [pattern.writer]


def _told(checker: Checker, pattern: Pattern, *, history: UserHistory) -> tuple[Pattern, Part]:
    part = _of_pattern(checker, pattern, history=history)
    if not part.verdict.verified and pattern.writer != OFFLINE:
        [pattern] = checker.writer.write_patterns([history])
        part = _of_pattern(checker, pattern, history=history)
    return replace(pattern, verified=part.verdict.verified), part


def _of_other(checker: Checker, reason: Reason, *, histories: Mapping[str, UserHistory], known: CheckedReasons) -> Part:
    """A reason checked against its own user's history; that of somebody who is in the log no more is not told."""
    if reason.user_id not in histories:
        return Part(OTHERS, reason.text, Verdict(()), ())
    history = histories[reason.user_id].before(reason.timestamp)
    key = reason, history.item_ids
    if key not in known:
        known[key] = checker.part(OTHERS, reason.text, history=history, item_id=reason.item_id)
    return known[key]


def _of_pattern(checker: Checker, pattern: Pattern, *, history: UserHistory) -> Part:
    """A pattern checked against the beginning of the history that it was written from."""
    part = checker.part(INTERESTS, pattern.text, history=history.first(pattern.n_items))
    is_whole = pattern.n_items == len(history)
    return part if is_whole else set_apart(part, prefix="interests/", label=f"for the first {pattern.n_items:,}")


def _shared_aspects(pair: Pair, writer: OfflineWriter) -> list[Evidence]:
    """What the history has more of than the average user's, and the item has too."""
    shared = writer.aspects_of(pair.history.item_ids, pair.place.item_id)
    return [
        Evidence(
            f"shared:{it.aspect.column}={it.aspect.value}",
            "aspect",
            f"{it.label} among the last {it.n:,}",
            float(it.count),
            "interactions",
        )
        for it in shared
        if it.weight > 0
    ][:_MOST_SHARED]


def _attention(reasons: Sequence[AttendedReason], unattended: float | None) -> list[Evidence]:
    weighed = [
        Evidence(f"attention:{n}", "driver", f"attention to reason {n}, of {_day(it)}", it.weight, "share")
        for n, it in enumerate(reasons, start=1)
        if it.weight is not None
    ]
    if unattended is not None:
        weighed.append(Evidence("attention:none", "driver", "attention to none of the reasons", unattended, "share"))
    return weighed


def _effect(effect: float) -> Evidence:
    return Evidence("effect:reasons", "driver", "what the reasons add to the score", effect, "score")


def _day(read: AttendedReason) -> str:
    return f"{read.reason.timestamp.day} {read.reason.timestamp:%B %Y}"
