"""Which number, or which of some texts, a local model would write at a place: as a distribution, nothing generated."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel, PreTrainedTokenizerBase

from whyrec.errors import InvalidConfigError
from whyrec.llm.base import require_room
from whyrec.llm.readouts import context_tokens, left_padded

_ALIKE_CHARS = 16
"""Prefixes that end in the same so many characters are taken to cut what follows into the same tokens."""


def number_probabilities(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prefixes: Sequence[str],
    *,
    numbers: Sequence[int],
    prune: float = 1e-4,
    max_rows: int = 64,
) -> Float[np.ndarray, "N M"]:
    """Which number the model would write after each prefix, among the numbers that are admitted.

    A number of several tokens is followed token by token, and "1" is told from the beginning of "10" by what comes
    after it: P(1) is the chance of writing 1 and then no further digit that leads to an admitted number.

    Args:
        model: A causal language model.
        tokenizer: Its fast tokenizer.
        prefixes: Texts that end right where a number is to follow.
        numbers: The admitted numbers, distinct.
        prune: Beginnings less likely than this are not followed; their mass goes to the number they spell so far,
            or is lost to normalisation.
        max_rows: Most rows in one forward pass.

    Returns:
        One row per prefix, one column per number; rows sum to 1.

    Raises:
        PromptTooLongError: If a prefix is longer than the model's context.
        InvalidConfigError: If the numbers are not distinct, or none is given.
    """
    if not numbers or len(set(numbers)) < len(numbers):
        raise InvalidConfigError(f"numbers: expected distinct numbers, got {list(numbers)[:5]}. Correct them.")
    choices = [str(number) for number in numbers]
    return choice_probabilities(model, tokenizer, prefixes, choices=choices, prune=prune, max_rows=max_rows)


def choice_probabilities(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prefixes: Sequence[str],
    *,
    choices: Sequence[str],
    adds_special_tokens: bool = False,
    prune: float = 1e-4,
    max_rows: int = 64,
) -> Float[np.ndarray, "N M"]:
    """Which of some texts the model would write after each prefix; ``number_probabilities`` is the same of numbers.

    Args:
        model: A causal language model.
        tokenizer: Its fast tokenizer.
        prefixes: Texts that end right where one of the choices is to follow.
        choices: The admitted texts, distinct in their tokens.
        adds_special_tokens: Begin each text as the tokenizer begins one, which a chat template does by itself.
        prune: As in ``number_probabilities``.
        max_rows: Most rows in one forward pass.

    Returns:
        One row per prefix, one column per choice; rows sum to 1.

    Raises:
        PromptTooLongError: If a prefix is longer than the model's context.
        InvalidConfigError: If there is no choice, or the tokenizer makes the same tokens of two.
    """
    slots = slots_at(tokenizer, prefixes, choices, adds_special_tokens=adds_special_tokens)
    longest = [len(slot.stem) + slot.depth for slot in slots]
    require_room(longest, context_tokens=context_tokens(model), max_tokens=0)
    found = np.zeros((len(slots), len(choices)))
    order = sorted(range(len(slots)), key=lambda index: (len(slots[index].stem), index))
    for first in range(0, len(order), max_rows):
        batch = order[first : first + max_rows]
        found[batch] = _walk(model, [slots[index] for index in batch], n_numbers=len(choices), prune=prune)
    normalised: np.ndarray = found / found.sum(axis=1, keepdims=True)
    return normalised


def expected_numbers(probabilities: Float[np.ndarray, "N M"], numbers: Sequence[int]) -> Float[np.ndarray, " N"]:
    """The mean of each row's distribution over the numbers."""
    means: np.ndarray = probabilities @ np.asarray(numbers, dtype=np.float64)
    return means


def normalised_entropy(probabilities: Float[np.ndarray, "N M"]) -> Float[np.ndarray, " N"]:
    """Entropy of each row as a share of that of the uniform distribution: 0 is certain, 1 knows nothing."""
    safe = np.where(probabilities > 0, probabilities, 1.0)
    entropies: np.ndarray = -(safe * np.log(safe)).sum(axis=1) / np.log(probabilities.shape[1])
    return entropies


# --- numbers as a tree of tokens -------------------------------------------------------------------------------------

Path = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Slot:
    """A place where one of some texts follows: the tokens before it, and how each of them goes on."""

    stem: tuple[int, ...]
    spelled: Mapping[Path, int]
    """From token paths to the position of the number that they spell."""
    branches: Mapping[Path, tuple[int, ...]]
    """From the beginning of a path to the tokens that may come next."""

    @property
    def depth(self) -> int:
        """Tokens of the longest text."""
        return max(map(len, self.spelled))

    @classmethod
    def at(
        cls,
        tokenizer: PreTrainedTokenizerBase,
        prefix: str,
        choices: Sequence[str],
        *,
        adds_special_tokens: bool = False,
    ) -> "Slot":
        """Tokenise every choice in its place.

        Raises:
            InvalidConfigError: If there is no choice, or the tokenizer makes the same tokens of two.
        """
        if not choices:
            raise InvalidConfigError("choices: expected one text at least, got none. Give some.")
        # Whether a choice's first token swallows the space before it depends on the tokenizer, so that choices are
        # tokenised in their place and what all of them share is the stem.
        *rows, alone = _token_rows(
            tokenizer, [*(f"{prefix}{choice}" for choice in choices), prefix], adds_special_tokens=adds_special_tokens
        )
        shared = _shared(rows, at_most=len(alone))
        spelled = {tuple(row[shared:]): position for position, row in enumerate(rows)}
        if len(spelled) < len(rows):
            raise InvalidConfigError(
                f"choices: expected texts that differ in their tokens, got {len(rows) - len(spelled)} of {len(rows)} "
                "that do not. Leave out doubles and words that the tokenizer does not know."
            )
        branches: dict[Path, set[int]] = {}
        for path in spelled:
            for length in range(len(path)):
                branches.setdefault(path[:length], set()).add(path[length])
        return cls(tuple(rows[0][:shared]), spelled, {start: tuple(sorted(next_)) for start, next_ in branches.items()})


def slots_at(
    tokenizer: PreTrainedTokenizerBase,
    prefixes: Sequence[str],
    choices: Sequence[str],
    *,
    adds_special_tokens: bool = False,
    known: dict[str, Slot] | None = None,
) -> list[Slot]:
    """A slot behind every prefix.

    Most prefixes of a task end alike, and their choices then have the same tokens: those of one prefix are taken for
    all others with the same end for which the first and the last choice confirm it.

    Args:
        tokenizer: A fast tokenizer.
        prefixes: Texts that end right where one of the choices is to follow.
        choices: Distinct texts.
        adds_special_tokens: As in ``choice_probabilities``.
        known: Grows by what is found, for calls to come with the same tokenizer and choices.

    Raises:
        InvalidConfigError: As ``Slot.at``.
    """
    models: dict[str, Slot] = {} if known is None else known
    for prefix in prefixes:
        if _end(prefix) not in models:
            models[_end(prefix)] = Slot.at(tokenizer, prefix, choices, adds_special_tokens=adds_special_tokens)
    probes = (0, len(choices) - 1)
    rows = [
        _token_rows(
            tokenizer, [f"{prefix}{choices[probe]}" for prefix in prefixes], adds_special_tokens=adds_special_tokens
        )
        for probe in (probes if prefixes else ())
    ]
    slots = []
    for prefix, *probed in zip(prefixes, *rows, strict=True):
        model = models[_end(prefix)]
        stem = _stem(model, dict(zip(probes, probed, strict=True)))
        slots.append(
            Slot.at(tokenizer, prefix, choices, adds_special_tokens=adds_special_tokens)
            if stem is None
            else Slot(stem, model.spelled, model.branches)
        )
    return slots


def _end(prefix: str) -> str:
    return prefix[-_ALIKE_CHARS:]


def _stem(model: Slot, rows: Mapping[int, Sequence[int]]) -> Path | None:
    """The tokens before the choices whose rows are given, if they go on as in the model; else None."""
    paths = {position: path for path, position in model.spelled.items() if position in rows}
    stems = {tuple(row[: len(row) - len(paths[position])]) for position, row in rows.items()}
    is_alike = all(tuple(row[-len(paths[position]) :]) == paths[position] for position, row in rows.items())
    return stems.pop() if is_alike and len(stems) == 1 else None


def _token_rows(
    tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], *, adds_special_tokens: bool
) -> list[list[int]]:
    return cast("list[list[int]]", tokenizer(list(texts), add_special_tokens=adds_special_tokens)["input_ids"])


def _shared(rows: Sequence[Sequence[int]], *, at_most: int) -> int:
    # The last token of a stem is not shared away when all numbers begin alike: a path needs one token at least.
    limit = min(at_most, min(map(len, rows)) - 1)
    return next((n for n in range(limit) if len({row[n] for row in rows}) > 1), limit)


@dataclass(slots=True)
class _Front:
    """A beginning of a number that is likely enough to follow: whose, what so far, how likely."""

    slot: int
    path: Path
    mass: float


@torch.inference_mode()
def _walk(model: PreTrainedModel, slots: Sequence[Slot], *, n_numbers: int, prune: float) -> np.ndarray:
    """Probabilities of the numbers at each slot, level by level: one forward pass per token of the longest number."""
    found = np.zeros((len(slots), n_numbers))
    cache = DynamicCache()
    ids, is_token = left_padded([slot.stem for slot in slots], device=model.device)
    fronts = [_Front(index, (), 1.0) for index in range(len(slots))]
    while fronts:
        logits = _next_logits(model, ids, is_token=is_token, cache=cache)
        grown: list[tuple[int, _Front]] = []
        for row, front in enumerate(fronts):
            slot = slots[front.slot]
            grown += (
                (row, child) for child in _children(slot, front, logits[row], into=found[front.slot], prune=prune)
            )
        if not grown:
            break
        parents = torch.tensor([row for row, _ in grown], device=model.device)
        cache.batch_select_indices(parents)
        ids = torch.tensor([[front.path[-1]] for _, front in grown], device=model.device)
        is_token = torch.cat([is_token[parents], torch.ones_like(ids)], dim=1)
        fronts = [front for _, front in grown]
    return found


def _children(
    slot: Slot, front: _Front, log_probabilities: Float[Tensor, " V"], *, into: np.ndarray, prune: float
) -> list[_Front]:
    """Go one token further: what ends here is credited to its number, the rest is returned."""
    next_tokens = slot.branches.get(front.path, ())
    shares = log_probabilities[list(next_tokens)].exp().tolist() if next_tokens else []
    if not front.path:
        # Nothing is written yet: some admitted number must come.
        total = sum(shares)
        shares = [share / total for share in shares] if total > 0 else [1 / len(shares)] * len(shares)
    children = []
    left = 1.0
    for token, share in zip(next_tokens, shares, strict=True):
        child = _Front(front.slot, (*front.path, token), front.mass * share)
        if child.path not in slot.branches:
            into[slot.spelled[child.path]] += child.mass
        elif child.mass >= prune:
            children.append(child)
        elif child.path in slot.spelled:
            into[slot.spelled[child.path]] += child.mass
        left -= share
    if front.path in slot.spelled:
        into[slot.spelled[front.path]] += front.mass * max(left, 0.0)
    return children


def _next_logits(
    model: PreTrainedModel, ids: Int[Tensor, "B L"], *, is_token: Int[Tensor, "B T"], cache: DynamicCache
) -> Float[Tensor, "B V"]:
    positions = (is_token.cumsum(dim=1) - 1).clamp(min=0)[:, -ids.shape[1] :]
    output = cast(Callable[..., Any], model)(
        input_ids=ids, attention_mask=is_token, position_ids=positions, past_key_values=cache, logits_to_keep=1
    )
    return cast(Tensor, output.logits[:, -1].float().log_softmax(dim=-1).cpu())
