"""New interactions after a fit: their reasons and, where enough has come together, new patterns; nothing is trained."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import zip_longest

import polars as pl

from whyrec.data import schema
from whyrec.errors import InvalidDataError
from whyrec.methods.curec.artefacts import Pattern, Reason
from whyrec.methods.curec.histories import Interaction, UserHistory, as_micros, interactions_of
from whyrec.methods.curec.keeping import LATEST
from whyrec.methods.curec.model_writers import LanguageModelUpdateWriter
from whyrec.methods.curec.patterns import PatternBook
from whyrec.methods.curec.reasons import reason_requests, write_reasons
from whyrec.methods.curec.recommender_config import CURecConfig
from whyrec.methods.curec.serving import Served
from whyrec.methods.curec.stages import with_a_past
from whyrec.methods.curec.timelines import NOBODY
from whyrec.methods.curec.writers import Writers


def updated(
    served: Served,
    interactions: Sequence[Interaction],
    *,
    histories: Mapping[str, UserHistory],
    writers: Writers,
    config: CURecConfig,
    until: datetime,
) -> Served:
    """Take in interactions, in whatever order they come.

    Where a language model writes and there is a pattern of the user, one question gives the reason and the next pattern
    (CURec Eq. (14)); what it fails at, and the first interactions of new users, go to the writers of either.

    Args:
        served: What there is.
        interactions: New ones, of known items.
        histories: Of their users; they may hold the new interactions, or not yet.
        writers: Who writes.
        config: When patterns and reasons are written.
        until: The moment fitted until.

    Raises:
        InvalidDataError: If one is earlier than that moment, has no time zone, or was taken in before.
    """
    _require_new(interactions, served, until=until)
    grown = {
        user_id: with_interactions(histories.get(user_id, UserHistory(user_id)), interactions)
        for user_id in dict.fromkeys(interaction.user_id for interaction in interactions)
    }
    new = set(interactions)
    wanted = [
        interaction
        for history in grown.values()
        for interaction in with_a_past(history, at_least=config.min_history)
        if interaction in new
    ]
    book, reasons = _with_updates(wanted, served.patterns, histories=grown, writer=writers.updates)
    told = {Interaction(reason.user_id, reason.item_id, reason.timestamp) for reason in reasons}
    rest = [interaction for interaction in wanted if interaction not in told]
    reasons += write_reasons(rest, writers.reasons, histories=grown, patterns=book)
    patterns = writers.patterns.write_patterns(
        [history for history in grown.values() if _wants_a_pattern(history, book, every=config.pattern_every)]
    )
    return served.grown(patterns=[*book.patterns(range(len(served.patterns), len(book))), *patterns], reasons=reasons)


def _with_updates(
    wanted: Sequence[Interaction],
    book: PatternBook,
    *,
    histories: Mapping[str, UserHistory],
    writer: LanguageModelUpdateWriter | None,
) -> tuple[PatternBook, list[Reason]]:
    """Let patterns follow the interactions of their users one by one: the book with the new ones, and the reasons."""
    reasons: list[Reason] = []
    if writer is None:
        return book, reasons
    for some in _rounds(wanted):
        # What comes late, before a pattern that is there already, changes none.
        requests = [
            request
            for request in reason_requests(some, histories=histories, patterns=book)
            if request.pattern is not None and request.pattern == _latest(request.interaction.user_id, book)
        ]
        updates = writer.write_updates(requests)
        book = book.append(pattern for pattern, _ in updates)
        reasons += [reason for _, reason in updates]
    return book, reasons


def _rounds(wanted: Iterable[Interaction]) -> Iterator[list[Interaction]]:
    """The first moment of every user, then the second, and so on; of several interactions of a moment the first."""
    moments: dict[str, dict[datetime, Interaction]] = {}
    for interaction in wanted:
        moments.setdefault(interaction.user_id, {}).setdefault(interaction.timestamp, interaction)
    for some in zip_longest(*(own.values() for own in moments.values())):
        yield [interaction for interaction in some if interaction is not None]


def with_interactions(history: UserHistory, interactions: Iterable[Interaction]) -> UserHistory:
    """A user's history with the interactions of the same user that it lacks."""
    own = {it for it in interactions if it.user_id == history.user_id} - set(interactions_of({"": history}))
    taken = [*zip(history.timestamps, history.item_ids, strict=True), *((it.timestamp, it.item_id) for it in own)]
    ordered = sorted(taken)
    return UserHistory(history.user_id, tuple(item for _, item in ordered), tuple(moment for moment, _ in ordered))


def _wants_a_pattern(history: UserHistory, book: PatternBook, *, every: int) -> bool:
    """Whether the history has grown enough since the latest pattern."""
    latest = _latest(history.user_id, book)
    return latest is None or len(history) - latest.n_items >= every


def _latest(user_id: str, book: PatternBook) -> Pattern | None:
    row = int(book.rows_before(book.user_rows([user_id]), LATEST)[0])
    return None if row == NOBODY else book.patterns([row])[0]


def _require_new(interactions: Sequence[Interaction], served: Served, *, until: datetime) -> None:
    for interaction in interactions:
        if as_micros(interaction.timestamp) < as_micros(until):
            raise InvalidDataError(
                f"update: expected interactions from {until.isoformat()} on, as earlier ones were fitted on, got one "
                f"of user {interaction.user_id!r} at {interaction.timestamp.isoformat()}. Leave it out, or fit again."
            )
    names = {schema.USER: pl.String(), schema.ITEM: pl.String(), schema.TIMESTAMP: schema.TIMESTAMP_TYPE}
    given = pl.DataFrame(list(interactions), schema=names, orient="row")
    known = given.join(served.reasons.frame, on=list(names), how="semi")
    if known.height:
        user_id, item_id, _ = known.row(0)
        raise InvalidDataError(
            f"update: expected new interactions, got {known.height:,} that were taken in before, first that of user "
            f"{user_id!r} with item {item_id!r}. Leave them out."
        )
