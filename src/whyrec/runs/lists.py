"""What a run of a recommender says: users' lists, lists for a wish, and why items stand in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import numpy as np
import polars as pl

from whyrec.data import schema
from whyrec.data.dataset import Dataset
from whyrec.data.sequences import read_histories
from whyrec.errors import InvalidConfigError
from whyrec.llm.model import LanguageModel
from whyrec.methods.guided.model import GuidedRecommender
from whyrec.methods.mllm3rec.model import MLLM3Recommender
from whyrec.methods.mllm3rec.roles import Models
from whyrec.recommending.base import ScoringRecommender
from whyrec.recommending.explained import ListExplainer
from whyrec.runs.methods import METHODS
from whyrec.runs.run import Run, require_known_moment

_Wanted = TypeVar("_Wanted", bound=ScoringRecommender)


@dataclass(frozen=True, slots=True)
class UserLists:
    """Recommendations, and for whom they are not personal."""

    rows: list[dict[str, object]]
    """``user_id, rank, item_id, title, score``, users in the order asked for."""
    unknown: tuple[str, ...]
    """Users without a history: they got the most popular items."""


def recommend_run(
    run: Run, data: Dataset, *, user_ids: Sequence[str], at: datetime | None = None, k: int = 10
) -> UserLists:
    """Rank items for users; what they have had is left out.

    Args:
        run: A run of a recommender.
        data: What it was fitted on.
        user_ids: Whom for; a user who stands twice gets one list.
        at: Only interactions strictly before it are read; None reads all.
        k: Length of a list.

    Raises:
        InvalidConfigError: If the run is one of a forecaster, ``at`` is before the moment fitted until or beyond the
            log, or ``k`` is less than 1.
    """
    recommender = run.load_recommender()
    _require_later(run, data, at)
    asked = list(dict.fromkeys(user_ids))
    lists = recommender.recommend(data, user_ids=asked, k=k, at=at)
    histories = read_histories(
        data, item_ids=recommender.item_ids_, cutoff=at, user_ids=pl.Series(asked, dtype=pl.String)
    )
    unknown = np.flatnonzero(~recommender.can_rank(histories))
    return UserLists(_titled(lists, data), tuple(asked[row] for row in unknown))


def recommend_stated_run(run: Run, data: Dataset, *, words: str, k: int = 10) -> list[dict[str, object]]:
    """Rank items for somebody of whom nothing is known but what they say they want.

    Args:
        run: A run of M-LLM3REC.
        data: What it was fitted on.
        words: The wish.
        k: Length of the list.

    Returns:
        ``user_id, rank, item_id, title, score``; the user_id is empty.

    Raises:
        InvalidConfigError: If the run's method reads no wishes, or ``k`` is less than 1.
        InvalidDataError: If the words are empty.
    """
    return _titled(_load_as(MLLM3Recommender, run, option="--want").recommend_stated({"": words}, k=k), data)


@dataclass(frozen=True, slots=True)
class ShiftedRows:
    """A list with more or less of one aspect, and what changed."""

    rows: list[dict[str, object]]
    """``user_id, rank, rank_before, item_id, title, score``; what was not in the list has no rank before."""
    left: list[str]
    """Titles that are gone, best first."""
    mean_level_before: float
    """Of the list on the aspect, from 1 to 10, items of unknown level at the mean; NaN if nothing is listed."""
    mean_level: float
    """The same of the new list."""
    unknown: tuple[str, ...] = ()
    """The user, where there is no history to go by: both lists are of popular items."""


def recommend_shifted_run(
    run: Run, data: Dataset, *, user_id: str, shift: tuple[str, float], at: datetime | None = None, k: int = 10
) -> ShiftedRows:
    """Rank items for a user who is to have more or less of one aspect, such as less tension.

    Args:
        run: A run of guided.
        data: What it was fitted on.
        user_id: Whom for; for somebody unknown the popular items are shifted.
        shift: The aspect's key and how far, as in ``GuidedRecommender.recommend_shifted``.
        at: Only interactions strictly before it are read; None reads all.
        k: Length of the list.

    Raises:
        InvalidConfigError: If the run's method has no aspects, there is no such aspect, all items are equal on it, the
            amount is beyond 100 either way, ``at`` is not valid, or ``k`` is less than 1.
    """
    recommender = _load_as(GuidedRecommender, run, option="--shift")
    _require_later(run, data, at)
    aspect, amount = shift
    found = recommender.recommend_shifted(data, user_id=user_id, aspect=aspect, amount=amount, k=k, at=at)
    before = dict(found.before.select(schema.ITEM, "rank").iter_rows())
    rows = [{**row, "rank_before": before.get(str(row[schema.ITEM]))} for row in _titled(found.after, data)]
    columns = (schema.USER, "rank", "rank_before", schema.ITEM, schema.TITLE, "score")
    gone = found.before.filter(pl.col(schema.ITEM).is_in(found.left))
    return ShiftedRows(
        [{name: row[name] for name in columns} for row in rows],
        [str(row[schema.TITLE]) for row in _titled(gone, data)],
        found.mean_level_before,
        found.mean_level_after,
        () if found.knows_user else (user_id,),
    )


@dataclass(frozen=True, slots=True)
class ModelLists:
    """Lists whose order is a language model's."""

    rows: list[dict[str, object]]
    """``user_id, rank, item_id, title, score``."""
    unreadable: tuple[str, ...]
    """Users whose answer could not be read: they have the offline list."""
    unknown: tuple[str, ...]
    """Users without a history, of whom there is nothing to read: they have the most popular items."""
    summary: str
    """What was asked and what it cost."""


def recommend_with_model(
    run: Run,
    data: Dataset,
    model: LanguageModel,
    *,
    user_ids: Sequence[str],
    pool: int = 30,
    at: datetime | None = None,
    k: int = 10,
) -> ModelLists:
    """Let a language model order the top of users' lists.

    Args:
        run: A run of M-LLM3REC.
        data: What it was fitted on.
        model: Who extracts and ranks.
        user_ids: Whom for; a user who stands twice gets one list.
        pool: How many of each list it sees.
        at: Only interactions strictly before it are read; None reads all.
        k: Length of a list.

    Raises:
        InvalidConfigError: If the run's method has no such stage, or ``pool`` or ``k`` is less than 1, or ``pool`` less
            than ``k``.
        EndpointError: If a server fails for good; what was answered before is in the cache.
    """
    recommender = _load_as(MLLM3Recommender, run, option="--llm")
    _require_later(run, data, at)
    if not 1 <= k <= pool:
        raise InvalidConfigError(
            f"--pool: expected at least as many items as -k asks for ({k}), at least 1, got {pool}. Choose more."
        )
    asked, models = list(dict.fromkeys(user_ids)), Models.one(model)
    found = recommender.recommend_with(models, data, user_ids=asked, pool=pool, at=at)
    is_ranked = {matching.user_id: matching.is_ranked for matching in found.matchings}
    others = [user_id for user_id in asked if not is_ranked.get(user_id, False)]
    ranked = found.lists(k=k).filter(~pl.col(schema.USER).is_in(others))
    lists = pl.concat([ranked, recommender.recommend(data, user_ids=others, k=k, at=at)])
    order = pl.DataFrame({schema.USER: asked})
    return ModelLists(
        _titled(order.join(lists, on=schema.USER, how="inner", maintain_order="left_right"), data),
        tuple(user_id for user_id in others if user_id in is_ranked),
        tuple(user_id for user_id in others if user_id not in is_ranked),
        models.summary(n_users=max(len(is_ranked), 1)),
    )


def explain_list_run(
    run: Run,
    data: Dataset,
    *,
    user_id: str,
    item_ids: Sequence[str] = (),
    at: datetime | None = None,
    k: int = 10,
) -> list[dict[str, object]]:
    """Explain items of a user's list; no language model is asked.

    Args:
        run: A run of a recommender that states reasons.
        data: What it was fitted on.
        user_id: Whom for; to somebody unknown it is said that the list is of popular items.
        item_ids: Which items; none for the first ``k`` of the list.
        at: Only interactions strictly before it are read; None reads all.
        k: How many, where no items are named.

    Returns:
        As ``ExplainedEntry.record`` makes them.

    Raises:
        UnknownIdError: If an item is not in the catalogue.
        InvalidConfigError: If the run's method states no reasons to users, or ``at`` is not valid.
    """
    if not run.method.explains_lists:
        what = f"{run.method.name}, which states no reasons to users"
        names = ", ".join(name for name, method in METHODS.items() if method.explains_lists)
        raise InvalidConfigError(
            f"{run.directory}: expected a run of {names} for --user, got one of {what}. Leave --user out, or fit "
            "another."
        )
    _require_later(run, data, at)
    recommender = run.load_recommender()
    assert isinstance(recommender, ListExplainer), "a run loads its method's class"
    told = recommender.explain(data, user_id=user_id, item_ids=list(item_ids) or None, k=k, at=at)
    return [entry.record() for entry in told]


def explain_stated_run(
    run: Run, data: Dataset, *, words: str, item_ids: Sequence[str] = (), k: int = 10
) -> list[dict[str, object]]:
    """Explain items to somebody of whom nothing is known but what they say they want.

    Args:
        run: A run of M-LLM3REC.
        data: What it was fitted on.
        words: The wish.
        item_ids: Which items; none for the first ``k`` of the list.
        k: How many, where no items are named.

    Returns:
        As ``ExplainedEntry.record`` makes them; the user_id is empty.

    Raises:
        UnknownIdError: If an item is not in the catalogue.
        InvalidConfigError: If the run's method reads no wishes, or ``k`` is less than 1.
        InvalidDataError: If the words are empty.
    """
    recommender = _load_as(MLLM3Recommender, run, option="--want")
    told = recommender.explain(data, user_id="", item_ids=list(item_ids) or None, k=k, stated=words)
    return [entry.record() for entry in told]


def _require_later(run: Run, data: Dataset, at: datetime | None) -> None:
    """Refuse a moment that the run has learned from, or beyond the log."""
    if at is None:
        return
    require_known_moment(data, at, what="--at")
    if at < run.until:
        raise InvalidConfigError(
            f"--at: expected a moment from {run.until.isoformat()} on (the run has learned from what came before), "
            f"got {at.isoformat()}. Fit with an earlier --until."
        )


def _titled(lists: pl.DataFrame, data: Dataset) -> list[dict[str, object]]:
    titles = data.items.select(schema.ITEM, schema.TITLE)
    titled = lists.join(titles, on=schema.ITEM, how="left", maintain_order="left")
    return titled.select(schema.USER, "rank", schema.ITEM, schema.TITLE, "score").to_dicts()


def _load_as(wanted: type[_Wanted], run: Run, *, option: str) -> _Wanted:
    """Load the recommender of a run, which must be one that knows an option."""
    if not issubclass(run.method.model, wanted):
        names = ", ".join(name for name, method in METHODS.items() if issubclass(method.model, wanted))
        raise InvalidConfigError(
            f"{run.directory}: expected a run of {names} for {option}, got one of {run.method.name}. Leave {option} "
            "out, or fit another."
        )
    recommender = run.load_recommender()
    assert isinstance(recommender, wanted), "a run loads its method's class"
    return recommender
