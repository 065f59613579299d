"""Which of two runs' explanations people prefer: shares with intervals over pairs, and how far raters agree."""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.stats import binomtest

from whyrec.evaluation.agreement import krippendorff_alpha
from whyrec.evaluation.significance import Interval, bootstrap_mean
from whyrec.evaluation.study_files import RunName, StudyKey, Votes

_CREDIT = {"A": 1.0, "B": 0.0, "same": 0.5}


def preference_rows(
    key: StudyKey, votes: Sequence[Votes], *, n_resamples: int = 2000, seed: int = 0
) -> list[dict[str, object]]:
    """Sum up a study.

    Args:
        key: Which text was which.
        votes: One entry per rater, at least one; see ``collect_votes``.
        n_resamples: Of the bootstrap over pairs.
        seed: Fixes the resamples.

    Returns:
        ``measure, run, value, low, high, n``:

        - ``preferred``: a run's share of votes, "about the same" counting half; mean over raters, then over the ``n``
          pairs that were answered, with a 95% bootstrap interval over pairs.
        - ``pairs won``: the share of the ``n`` pairs on which one run got more votes that this run got more, with a 95%
          Wilson interval, which stays honest where raters are unanimous.
        - ``about the same``: that answer's share of the ``n`` votes.
        - ``shown first``: the share of the ``n`` decided votes that went to the text shown first, with a 95% Wilson
          interval; far from a half, raters chose places, not texts.
        - ``alpha``: Krippendorff's (nominal: A, B, the same) over the ``n`` pairs with at least two raters; null where
          undefined.
    """
    chosen = _chosen(key, votes)
    credits = [np.mean([_CREDIT[said] for said in of_pair.values()]) for of_pair in chosen.values()]
    intervals: dict[RunName, Interval] = {
        "A": bootstrap_mean(credits, n_resamples=n_resamples, seed=seed),
        "B": bootstrap_mean(1 - np.array(credits), n_resamples=n_resamples, seed=seed),
    }
    rows = [_row("preferred", run, it.value, low=it.low, high=it.high, n=it.n) for run, it in intervals.items()]
    decided = [bool(credit > 0.5) for credit in credits if credit != 0.5]
    rows += [
        _wilson("pairs won", run, sum(won == (run == "A") for won in decided), n=len(decided)) for run in intervals
    ]
    said = [answer for of_pair in chosen.values() for answer in of_pair.values()]
    rows.append(_row("about the same", None, said.count("same") / len(said), n=len(said)))
    sides = [vote.choice == "first" for it in votes for vote in it.votes if vote.choice != "same"]
    rows.append(_wilson("shown first", None, sum(sides), n=len(sides)))
    shared = sum(len(of_pair) > 1 for of_pair in chosen.values())
    return [*rows, _row("alpha", None, _alpha(chosen, [it.rater for it in votes]), n=shared)]


def _chosen(key: StudyKey, votes: Sequence[Votes]) -> dict[str, dict[str, str]]:
    """``A``, ``B`` or ``same`` by pair and rater, of the pairs that somebody answered."""
    first = {pair.pair: pair.first for pair in key.pairs}
    found: dict[str, dict[str, str]] = {}
    for of_rater in votes:
        for vote in of_rater.votes:
            runs = (first[vote.pair], "B" if first[vote.pair] == "A" else "A")
            said = "same" if vote.choice == "same" else runs[vote.choice == "second"]
            found.setdefault(vote.pair, {})[of_rater.rater] = said
    return found


def _alpha(chosen: Mapping[str, Mapping[str, str]], raters: Sequence[str]) -> float | None:
    table = [[_CREDIT.get(of_pair.get(rater, ""), np.nan) for of_pair in chosen.values()] for rater in raters]
    return krippendorff_alpha(table, level="nominal")


def _wilson(measure: str, run: RunName | None, won: int, *, n: int) -> dict[str, object]:
    if not n:
        return _row(measure, run, None, n=0)
    interval = binomtest(won, n).proportion_ci(method="wilson")
    return _row(measure, run, won / n, low=float(interval.low), high=float(interval.high), n=n)


def _row(
    measure: str,
    run: RunName | None,
    value: float | None,
    *,
    n: int,
    low: float | None = None,
    high: float | None = None,
) -> dict[str, object]:
    return {"measure": measure, "run": run, "value": value, "low": low, "high": high, "n": n}
