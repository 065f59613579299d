"""Whether a model favours places: how often the positive is hit by where it stood before the model (M3)."""

from collections.abc import Mapping, Sequence

import polars as pl

from whyrec.methods.mllm3rec.matching import Matching


def hit_rate_by_input_position(matchings: Sequence[Matching], positives: Mapping[str, str], *, k: int) -> pl.DataFrame:
    """How often the positive is among the first ``k`` of one permutation, by the place at which it stood in it.

    Flat for a model that reads; ``k`` / 30 at every place, on average, for one that answers at random; 1 at the first
    places and 0 at the others for one that gives the candidates back as they stood.

    Args:
        matchings: With their permutations; those whose answer could not be read are left out.
        positives: The item that each user took, by user_id.
        k: Cut-off of the list.

    Returns:
        ``position`` (1-based), ``n`` (permutations with the positive there) and ``hit_rate``, by position.
    """
    rows = [
        (ordering.shown.index(positive) + 1, positive in ordering.ranked[:k])
        for matching in matchings
        for positive in [positives[matching.user_id]]
        for ordering in matching.orderings
        if ordering.ranked is not None
    ]
    found = pl.DataFrame(rows, schema={"position": pl.Int64, "is_hit": pl.Boolean}, orient="row")
    return (
        found.group_by("position").agg(pl.len().alias("n"), pl.col("is_hit").mean().alias("hit_rate")).sort("position")
    )


def mean_rank_by_input_position(matchings: Sequence[Matching]) -> pl.DataFrame:
    """At which rank a model puts what stands at each place, whatever it is: needs no positives.

    Returns:
        ``position`` (1-based), ``n`` and ``mean_rank``, by position; flat, at (N + 1) / 2, without a bias.
    """
    rows = [
        (place, ordering.ranked.index(item_id) + 1)
        for matching in matchings
        for ordering in matching.orderings
        if ordering.ranked is not None
        for place, item_id in enumerate(ordering.shown, start=1)
    ]
    found = pl.DataFrame(rows, schema={"position": pl.Int64, "rank": pl.Int64}, orient="row")
    return (
        found.group_by("position").agg(pl.len().alias("n"), pl.col("rank").mean().alias("mean_rank")).sort("position")
    )
