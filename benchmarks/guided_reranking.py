"""Of ``guided.py``: what content adds to the scores of a base that is trained already, without training anything.

A user's profile is a mean over the history of the items' columns, recent items weighing more; an item is close to it by
the inner product. A chosen multiple of that closeness joins the base's scores. If that gains nothing, then closeness in
these columns tells nothing that the base does not know; what they do while an encoder learns is another question.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from curec import averaged
from curec_data import Protocol
from guided_figures import figures_of, full_ranking, is_less_popular, seeds_told
from guided_variants import CONTROLS, REFINED, VARIANTS, columns_of
from whyrec.data.sequences import Sequences
from whyrec.encoders.base import SequenceEncoder
from whyrec.encoders.ranking import HeldOut, ranks_in, score_blocks
from whyrec.evaluation.significance import bootstrap_difference, bootstrap_mean
from whyrec.methods.guided.artefacts import AspectScores
from whyrec.methods.guided.controls import main_components
from whyrec.recommending.topk import hide_seen

HALF_LIVES = (1.0, 5.0)
"""In items of a history."""
STRENGTHS = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
"""Of closeness in units of its deviation over a user's candidates, beside the base's logits."""
CHOSEN_BY = "NDCG@10"
MORE, TEXTS, SCORES = 48, "text vectors", "base"

Contents = Mapping[str, Float[Tensor, "I k"]]
Figures = dict[str, NDArray[np.float64]]
Setting = tuple[float, float]
"""Half-life and strength."""


@dataclass(frozen=True)
class Reranked:
    """Of the test, for every user."""

    base: Figures
    by_content: Mapping[str, Figures]
    chosen: Mapping[str, Setting | None]
    """By validation; None where no strength did better than nothing."""
    closer: Figures
    """How often the test item is closer than one drawn by popularity, by content, and by the base's scores."""


def contents(scores: AspectScores, vectors: NDArray[np.float32], protocol: Protocol, *, seed: int) -> Contents:
    """Columns with mean 0 and deviation 1: aspects, every control, more components, and the whole text vectors."""
    ids = protocol.items["item_id"]
    chosen = {
        name: columns_of(VARIANTS[name], scores, vectors, seed=seed).rows_of(ids) for name in (REFINED, *CONTROLS)
    }
    chosen[f"{MORE} components"] = main_components(scores.ids, vectors, n=MORE).rows_of(ids)
    return {
        name: torch.from_numpy(StandardScaler().fit_transform(columns).astype(np.float32))
        for name, columns in {**chosen, TEXTS: vectors}.items()
    }


def reranked(
    encoder: SequenceEncoder,
    columns: Contents,
    *,
    validation: HeldOut,
    test: HeldOut,
    popularity: NDArray[np.int64],
) -> Reranked:
    """How every content does on the test, with the half-life and the strength that did best on validation items.

    Args:
        encoder: A trained base.
        columns: Of all items, by content.
        validation: Chooses.
        test: Measures.
        popularity: How often each item occurs in training.
    """
    tried = ranks_of(encoder, validation, columns, settings=dict.fromkeys(columns, all_settings()))
    chosen = {name: best_of(ranks, otherwise=tried[SCORES][None]) for name, ranks in tried.items() if name != SCORES}
    tested = ranks_of(
        encoder,
        test,
        columns,
        settings={name: [] if setting is None else [setting] for name, setting in chosen.items()},
    )
    base = full_ranking(tested[SCORES][None])
    return Reranked(
        base,
        {name: base if it is None else full_ranking(tested[name][it]) for name, it in chosen.items()},
        chosen,
        closer_than_popular(encoder, test, columns, popularity=torch.from_numpy(popularity)),
    )


def reranking_rows(found: list[Reranked], protocol: Protocol, *, seeds: list[int]) -> list[dict[str, object]]:
    """Rows of the results: the gain over each seed's base, and how often the test item is closer than popular ones."""
    shared = {
        "dataset": protocol.dataset,
        "protocol": "leave-one-out",
        "seed": seeds_told(seeds),
        "writer": "offline",
    }
    is_rare, rows = is_less_popular(protocol), []
    base = averaged([it.base for it in found])
    for name in found[0].by_content:
        ours = averaged([it.by_content[name] for it in found])
        for metric in (CHOSEN_BY, "Recall@10"):
            for users, chosen in {"": np.ones_like(is_rare), "[less popular half]": is_rare}.items():
                gain = bootstrap_difference(ours[metric][chosen], base[metric][chosen])
                apart = [float((it.by_content[name][metric] - it.base[metric])[chosen].mean()) for it in found]
                row = {"method": f"base and {name}", "metric": f"{metric}{users} - {SCORES}", **figures_of(gain)}
                rows.append({**shared, **row, "by_seed": [round(value, 6) for value in apart]})
    for name, share in averaged([it.closer for it in found]).items():
        row = {"method": name, "metric": "closer than popular ones", **figures_of(bootstrap_mean(share))}
        rows.append({**shared, **row})
    return rows


def all_settings() -> list[Setting]:
    return [(half_life, strength) for half_life in HALF_LIVES for strength in STRENGTHS]


def best_of(ranks: Mapping[Setting | None, NDArray[np.float64]], *, otherwise: NDArray[np.float64]) -> Setting | None:
    """The setting of the highest mean; the base's own where none is higher."""
    return max([None, *ranks], key=lambda it: full_ranking(otherwise if it is None else ranks[it])[CHOSEN_BY].mean())


@torch.inference_mode()
def ranks_of(
    encoder: SequenceEncoder,
    held_out: HeldOut,
    columns: Contents,
    *,
    settings: Mapping[str, list[Setting]],
) -> dict[str, dict[Setting | None, NDArray[np.float64]]]:
    """Each user's rank of the held-out item, by content and setting; without any under ``base`` and None."""
    n_users = len(held_out.histories)
    found: dict[str, dict[Setting | None, NDArray[np.float64]]] = {
        SCORES: {None: np.empty(n_users)},
        **{name: {it: np.empty(n_users) for it in tried} for name, tried in settings.items()},
    }
    for users, logits in score_blocks(encoder, held_out.histories, np.arange(n_users)):
        targets = held_out.targets[users]
        hide_seen(logits, held_out.histories, users)
        found[SCORES][None][users] = ranks_in(logits, targets)
        for name, tried in settings.items():
            for half_life in sorted({half_life for half_life, _ in tried}):
                close = closeness(held_out.histories, columns[name], users=users, half_life=half_life)
                for setting in tried:
                    if setting[0] == half_life:
                        found[name][setting][users] = ranks_in(logits + setting[1] * close, targets)
    return found


def closeness(
    histories: Sequences, columns: Float[Tensor, "I k"], *, users: NDArray[np.int64], half_life: float
) -> Float[Tensor, "B I"]:
    """Inner products of users' profiles with all items; of every user with mean 0 and deviation 1 over the items."""
    profiles = []
    for user in users:
        items = histories.row(user)
        weights = 0.5 ** (np.arange(len(items) - 1, -1, -1) / half_life)
        mean = torch.from_numpy((weights / weights.sum()).astype(np.float32))
        profiles.append(mean @ columns[torch.from_numpy(items.astype(np.int64) - 1)])
    close = torch.stack(profiles) @ columns.T
    return (close - close.mean(dim=1, keepdim=True)) / close.std(dim=1, keepdim=True).clamp(min=1e-6)


@torch.inference_mode()
def closer_than_popular(
    encoder: SequenceEncoder, held_out: HeldOut, columns: Contents, *, popularity: Tensor
) -> Figures:
    """The chance that a user's held-out item stands above one drawn by how often it occurs in training; ties half.

    By a profile of the shorter half-life; the base by its scores. Chance is .5.
    """
    drawn = popularity.double() / popularity.sum()
    n_users = len(held_out.histories)
    found: Figures = {name: np.empty(n_users) for name in (SCORES, *columns)}
    for users, logits in score_blocks(encoder, held_out.histories, np.arange(n_users)):
        targets = torch.from_numpy(held_out.targets[users].astype(np.int64) - 1)[:, None]
        by_name = {
            name: closeness(held_out.histories, it, users=users, half_life=HALF_LIVES[0])
            for name, it in columns.items()
        }
        for name, scores in {SCORES: logits, **by_name}.items():
            mine = scores.gather(1, targets)
            below = (scores < mine).double() + (scores == mine).double() / 2
            found[name][users] = (below @ drawn).numpy()
    return found
