"""Checks of ``guided.py``: sense of the scores, sums of parts, lists by preference, what an encoder knows anyway."""

import re
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from sklearn.linear_model import RidgeCV
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.model_selection import KFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from curec_data import Protocol
from guided_figures import figures_of
from whyrec.encoders.base import SequenceEncoder
from whyrec.encoders.ranking import score_blocks
from whyrec.evaluation.significance import Interval
from whyrec.llm.embed import Embedder
from whyrec.methods.guided.artefacts import AspectScores
from whyrec.methods.guided.aspects import bundled_aspects
from whyrec.methods.guided.control import mean_level, shifted_scores
from whyrec.methods.guided.decomposing import parts_of_pairs
from whyrec.methods.guided.offline import OfflineConfig, OfflineScorer, item_lines
from whyrec.methods.guided.refine import GuidedEncoder
from whyrec.recommending.topk import hide_seen
from whyrec.runtime.manifest import write_results

GENRE_WORDS = re.compile(
    r"\b(action|adventure|animat\w*|cartoon\w*|child\w*|comed\w*|comic\w*|crime\w*|criminal\w*|documentar\w*|drama\w*|"
    r"fantas\w*|film.?noir|noir|horror\w*|musical\w*|myster\w*|romanc\w*|romantic\w*|sci.?fi|science fiction|"
    r"thriller\w*|wars?|western\w*)\b",
    re.IGNORECASE,
)
"""Taken out of titles and plots, so that a check by genres is none of words."""
RECENT = 1990
CHECKS: tuple[tuple[str, tuple[str, ...], bool], ...] = (
    ("realism_fantasy", ("Fantasy", "Sci-Fi"), True),
    ("realism_fantasy", ("Documentary", "War", "Crime"), False),
    ("tension", ("Thriller", "Horror"), True),
    ("tension", ("Comedy",), False),
    ("pace", ("Action",), True),
    ("pace", ("Documentary",), False),
    ("emotional_intensity", ("Drama",), True),
    ("emotional_intensity", ("Comedy",), False),
    ("group_viewing", ("Children's", "Animation"), True),
    ("visual_auditory_intensity", ("Action", "Sci-Fi"), True),
    ("intellectual_challenge", ("Children's",), False),
    ("social_value", ("War", "Documentary"), True),
)
"""Aspect, genres, and whether films of one of these should stand higher than all others, or lower."""
SCORERS = {
    "described ends": OfflineConfig(uses_labels=False),
    "labels by vectors": OfflineConfig(reads_words=False),
    "offline": OfflineConfig(),
}
RESAMPLES, FOLDS = 200, 5
PAIRS, SHIFTED_USERS, LIST = 1000, 200, 10
TENSION = "tension"
AMOUNTS = tuple(-step / 4 for step in range(13))


# Sense


def sense(data: Path, work: Path, *, out: Path) -> None:
    """Compare scores of MovieLens-1M's films with genres and years; titles and plots without genre words are read.

    Labels of the scorer are genres too, so that a film's score never comes from a model that saw its own genres.
    """
    started = time.perf_counter()
    films = pl.read_parquet(data / "ml1m" / "items_text.parquet")
    items = films.select(
        pl.col("movie").cast(pl.String).alias("item_id"), "title", pl.col("genres").str.split("|"), "year", "plot"
    )
    texts = [GENRE_WORDS.sub("", text) for text in item_lines(items.select("item_id", "title", "plot"))]
    aspects, rows = bundled_aspects("movies"), []
    checks = facts(items)
    with Embedder.open(cache=work / "embeddings.sqlite") as embedder:
        for name, config in SCORERS.items():
            scores, _ = OfflineScorer(aspects, embedder, config).score(items, texts=texts)
            for metric, interval in figures(scores, checks).items():
                print(f"{name:20} {metric:60} {interval.value:.3f} [{interval.low:.3f}, {interval.high:.3f}]")
                rows.append(row(name, metric, interval))
    config = {
        "films": items.height,
        "texts": "title and plot without genre words",
        "resamples": RESAMPLES,
        "scorers": {name: config.model_dump() for name, config in SCORERS.items()},
    }
    write_results(out / "guided_sense.json", config=config, wall_time_s=time.perf_counter() - started, rows=rows)


def facts(items: pl.DataFrame) -> dict[str, tuple[str, NDArray[np.bool_], bool]]:
    """Aspect, films, and whether they should stand high, by the name of the check."""
    year = items["year"].cast(pl.Float64, strict=False)
    found = {
        "contemporary: since 1990": ("historical_contemporary", (year >= RECENT).fill_null(False).to_numpy(), True)
    }
    for aspect, genres, is_high in CHECKS:
        has_any = items["genres"].list.eval(pl.element().is_in(list(genres))).list.any().fill_null(False)
        found[f"{aspect} {'high' if is_high else 'low'}: {', '.join(genres)}"] = (aspect, has_any.to_numpy(), is_high)
    return found


def figures(scores: AspectScores, checks: dict[str, tuple[str, NDArray[np.bool_], bool]]) -> dict[str, Interval]:
    """AUC of each check, their mean, and the mean without the year, which the catalogue tells; bootstrap over films."""
    rng, n = np.random.default_rng(0), len(scores)
    samples = [np.arange(n), *(rng.integers(n, size=n) for _ in range(RESAMPLES))]
    by_check = np.array(
        [
            [
                roc_auc_score(is_so[rows], scores.values[rows, scores.aspects.index(aspect)] * (1 if is_high else -1))
                for rows in samples
            ]
            for aspect, is_so, is_high in checks.values()
        ]
    )
    named = dict(zip([f"AUC[{name}]" for name in checks], by_check, strict=True))
    named |= {"mean AUC": by_check.mean(axis=0), "mean AUC without the year": by_check[1:].mean(axis=0)}
    return {
        name: Interval(float(values[0]), *np.quantile(values[1:], [0.025, 0.975]).tolist(), n)
        for name, values in named.items()
    }


def row(name: str, metric: str, interval: Interval) -> dict[str, object]:
    return {
        "method": f"guided scores, {name}",
        "dataset": "ml1m",
        "protocol": "genres and years of all films",
        "metric": metric,
        **figures_of(interval),
        "seed": 0,
        "writer": "offline",
    }


# What an encoder knows anyway


def known_anyway(encoder: SequenceEncoder, protocol: Protocol, scores: AspectScores) -> dict[str, object]:
    """How much of each aspect an encoder without guided columns tells of items by what it learned from who took what.

    A ridge from an item's trained columns to its level, cross-fitted: the share of variance that it tells, over the
    items that occur in training, and over the more and the less popular half of them.
    """
    ids, counts = protocol.items["item_id"], np.bincount(protocol.training.sequences.items)
    counts = np.pad(counts, (0, max(0, len(ids) + 1 - len(counts))))[1:]
    is_known = counts > 0
    with torch.inference_mode():
        columns = encoder.output_table().numpy()[is_known]
    is_rare = counts[is_known] <= np.median(counts[is_known])
    levels = scores.rows_of(ids)[is_known].astype(np.float64)
    folds = KFold(FOLDS, shuffle=True, random_state=0)
    model = make_pipeline(StandardScaler(), RidgeCV(alphas=np.logspace(0, 4, 9)))
    told = cross_val_predict(model, columns, levels, cv=folds)
    found = {}
    for name, chosen in {"all": np.ones_like(is_rare), "popular": ~is_rare, "rare": is_rare}.items():
        shares = r2_score(levels[chosen], told[chosen], multioutput="raw_values")
        found[name] = {key: round(float(share), 4) for key, share in zip(scores.aspects, shares, strict=True)}
        found[name]["mean"] = round(float(np.mean(shares)), 4)
    print(found, file=sys.stderr)
    return {"items": len(levels), **found}


# Additivity and control


def additivity(encoder: GuidedEncoder, protocol: Protocol, scores: AspectScores) -> dict[str, object]:
    """How far the parts of a thousand scores are from their sums, and what "less tension" does to lists."""
    rng, histories = np.random.default_rng(0), protocol.test.histories
    users = rng.integers(len(histories), size=PAIRS)
    items = torch.from_numpy(rng.integers(protocol.items.height, size=PAIRS))
    wanted = np.unique(users)
    logits = np.zeros((len(histories), protocol.items.height), dtype=np.float32)
    for rows, block in score_blocks(encoder, histories, wanted):
        logits[rows] = block.numpy()
    parts = parts_of_pairs(encoder, histories, rows=torch.from_numpy(users), items=items)
    gaps = np.abs(parts.total.numpy() - logits[users, items.numpy()])
    found: dict[str, object] = {
        "pairs": PAIRS,
        "largest_gap": float(gaps.max()),
        "largest_logit": float(np.abs(logits[users, items.numpy()]).max()),
        "share_of_aspects": float(parts.aspects.std(dim=0).norm() / parts.total.std()),
    }
    if TENSION in scores.aspects:
        some = wanted[:SHIFTED_USERS]
        shown = torch.from_numpy(logits[some])
        hide_seen(shown, histories, some)
        levels = scores.rows_of(protocol.items["item_id"])[:, scores.aspects.index(TENSION)]
        found |= less_of(shown.numpy().astype(np.float64), levels)
    print(found, file=sys.stderr)
    return found


def less_of(scores: NDArray[np.float64], levels: NDArray[np.float32]) -> dict[str, object]:
    """The mean level of users' lists by the size of the shift, and whose lists ever went the wrong way."""
    by_amount = np.array(
        [
            [mean_level(user, levels, k=LIST) for user in shifted_scores(scores, levels, amount=amount)]
            for amount in AMOUNTS
        ]
    )
    return {
        "users": len(scores),
        "amounts": list(AMOUNTS),
        "mean_tension": [round(float(value), 4) for value in np.nanmean(by_amount, axis=1)],
        "users_whose_list_grew_tenser": int((np.diff(by_amount, axis=0) > 1e-9).any(axis=0).sum()),
    }
