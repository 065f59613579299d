"""New interactions after a fit: their reasons and, where enough has come together, new patterns; nothing is trained."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import polars as pl

from whyrec.data import schema
from whyrec.errors import InvalidDataError
from whyrec.methods.curec.histories import Interaction, UserHistory, as_micros, interactions_of
from whyrec.methods.curec.keeping import LATEST
from whyrec.methods.curec.reasons import write_reasons
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
    reasons = write_reasons(wanted, writers.reasons, histories=grown, patterns=served.patterns)
    patterns = writers.patterns.write_patterns(
        [history for history in grown.values() if _wants_a_pattern(history, served, every=config.pattern_every)]
    )
    return served.grown(patterns=patterns, reasons=reasons)


def with_interactions(history: UserHistory, interactions: Iterable[Interaction]) -> UserHistory:
    """A user's history with the interactions of the same user that it lacks."""
    own = {it for it in interactions if it.user_id == history.user_id} - set(interactions_of({"": history}))
    taken = [*zip(history.timestamps, history.item_ids, strict=True), *((it.timestamp, it.item_id) for it in own)]
    ordered = sorted(taken)
    return UserHistory(history.user_id, tuple(item for _, item in ordered), tuple(moment for moment, _ in ordered))


def _wants_a_pattern(history: UserHistory, served: Served, *, every: int) -> bool:
    """Whether the history has grown enough since the latest pattern."""
    row = int(served.patterns.rows_before(served.patterns.user_rows([history.user_id]), LATEST)[0])
    return row == NOBODY or len(history) - served.patterns.patterns([row])[0].n_items >= every


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
