"""Compiled steps of stochastic gradient descent for factor models: one thread, seeded, so that a run repeats itself.

An item's vector is the mean of its features' vectors, as in LightFM (Kula 2015); with one feature per item, its id,
that is plain matrix factorisation. Gradients are scaled as Adagrad does.
"""

import math

import numba
import numpy as np
from numpy.typing import NDArray

_njit = numba.njit(cache=True, fastmath={"reassoc", "contract", "arcp", "nsz"})
"""Sums may be taken in any order, which is what lets them run side by side; infinities and NaN stay what they are."""
_TRIES = 20
"""Draws of an item that the user has not had, before a pair is given up."""


@_njit
def has(row: NDArray[np.int64], item: int) -> bool:
    """Whether a sorted row holds an item."""
    place = np.searchsorted(row, item)
    return bool(place < len(row) and row[place] == item)


@_njit
def collect(
    item: int,
    feature_offsets: NDArray[np.int64],
    features: NDArray[np.int64],
    vectors: NDArray[np.float32],
    biases: NDArray[np.float32],
    into: NDArray[np.float32],
) -> float:
    """Write an item's vector, the mean of its features', and return its bias."""
    start, end = feature_offsets[item], feature_offsets[item + 1]
    into[:] = 0
    bias = 0.0
    for place in range(start, end):
        feature = features[place]
        bias += biases[feature]
        for d in range(len(into)):
            into[d] += vectors[feature, d]
    for d in range(len(into)):
        into[d] /= end - start
    return float(bias / (end - start))


@_njit
def loss_weight(better: float, worse: float, n_tried: int, n_items: int, is_warp: bool) -> float:
    """How hard a pair pulls: BPR by the probability of the wrong order, WARP by the estimated rank, 0 for in order."""
    if not is_warp:
        return 1 / (1 + math.exp(min(better - worse, 30.0)))
    if worse <= better - 1:
        return 0.0
    return math.log(max(1.0, (n_items - 1) // n_tried))


@_njit
def step(value: NDArray[np.float32], sums: NDArray[np.float32], d: int, gradient: float, rate: float) -> None:
    """One step of Adagrad for one number."""
    value[d] -= np.float32(rate) * np.float32(gradient) / np.sqrt(sums[d])
    sums[d] += np.float32(gradient) * np.float32(gradient)


@_njit
def train_epoch(
    users: NDArray[np.int64],
    items: NDArray[np.int64],
    seen_offsets: NDArray[np.int64],
    seen: NDArray[np.int64],
    feature_offsets: NDArray[np.int64],
    features: NDArray[np.int64],
    user_vectors: NDArray[np.float32],
    vectors: NDArray[np.float32],
    biases: NDArray[np.float32],
    user_sums: NDArray[np.float32],
    sums: NDArray[np.float32],
    bias_sums: NDArray[np.float32],
    is_warp: bool,
    max_tried: int,
    rate: float,
    decay: float,
    seed: int,
) -> None:
    """Go once through pairs of user and item, in the given order, and change vectors and biases in place."""
    np.random.seed(seed)
    n_items, dim = len(feature_offsets) - 1, vectors.shape[1]
    liked, other = np.empty(dim, np.float32), np.empty(dim, np.float32)
    wanted = np.empty(dim, np.float32)
    for pair in range(len(users)):
        user, item = users[pair], items[pair]
        mine = user_vectors[user]
        row = seen[seen_offsets[user] : seen_offsets[user + 1]]
        better = collect(item, feature_offsets, features, vectors, biases, liked)
        for d in range(dim):
            better += mine[d] * liked[d]
        weight, n_tried, negative = 0.0, 0, 0
        for _ in range(_TRIES):
            negative = np.random.randint(n_items)
            if has(row, negative):
                continue
            n_tried += 1
            worse = collect(negative, feature_offsets, features, vectors, biases, other)
            for d in range(dim):
                worse += mine[d] * other[d]
            weight = loss_weight(better, worse, n_tried, n_items, is_warp)
            if weight > 0 or n_tried >= max_tried:
                break
        if weight <= 0:
            continue
        for d in range(dim):
            wanted[d] = mine[d]
            step(mine, user_sums[user], d, weight * (other[d] - liked[d]) + decay * mine[d], rate)
        for side in range(2):
            chosen, sign = (item, -weight) if side == 0 else (negative, weight)
            start, end = feature_offsets[chosen], feature_offsets[chosen + 1]
            for place in range(start, end):
                feature = features[place]
                share = sign / (end - start)
                step(biases, bias_sums, feature, share + decay * biases[feature], rate)
                for d in range(dim):
                    gradient = share * wanted[d] + decay * vectors[feature, d]
                    step(vectors[feature], sums[feature], d, gradient, rate)


@_njit
def fold_in(
    offsets: NDArray[np.int64],
    items: NDArray[np.int64],
    vectors: NDArray[np.float32],
    biases: NDArray[np.float32],
    is_warp: bool,
    max_tried: int,
    n_steps: int,
    rate: float,
    decay: float,
    seed: int,
) -> NDArray[np.float32]:
    """Learn vectors of users from sorted histories with the items as they are, each from the same draws."""
    n_items, dim = vectors.shape
    found = np.zeros((len(offsets) - 1, dim), np.float32)
    sums = np.empty(dim, np.float32)
    for user in range(len(found)):
        np.random.seed(seed)
        mine, row = found[user], items[offsets[user] : offsets[user + 1]]
        sums[:] = 1
        for _ in range(n_steps):
            item = row[np.random.randint(len(row))]
            better = biases[item]
            for d in range(dim):
                better += mine[d] * vectors[item, d]
            weight, n_tried, negative = 0.0, 0, 0
            for _ in range(_TRIES):
                negative = np.random.randint(n_items)
                if has(row, negative):
                    continue
                n_tried += 1
                worse = biases[negative]
                for d in range(dim):
                    worse += mine[d] * vectors[negative, d]
                weight = loss_weight(better, worse, n_tried, n_items, is_warp)
                if weight > 0 or n_tried >= max_tried:
                    break
            if weight <= 0:
                continue
            for d in range(dim):
                gradient = weight * (vectors[negative, d] - vectors[item, d]) + decay * mine[d]
                step(mine, sums, d, gradient, rate)
    return found
