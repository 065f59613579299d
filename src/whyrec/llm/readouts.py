"""What a local model makes of a text that is there already: log-probabilities, hidden states, chances of numbers.

Nothing is generated here. Texts are raw: what a chat template adds, the caller has rendered.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel, PreTrainedTokenizerBase

from whyrec.errors import InvalidConfigError, InvalidModelError
from whyrec.llm.base import require_room

Span = tuple[int, int]
"""First character and one past the last."""


@dataclass(frozen=True, slots=True)
class MarkedText:
    """A text with parts of interest."""

    text: str
    spans: tuple[Span, ...]

    def __post_init__(self) -> None:
        for start, end in self.spans:
            if not 0 <= start < end <= len(self.text):
                raise InvalidConfigError(
                    f"span {start}-{end}: expected it inside a text of {len(self.text)} characters and not empty. "
                    "Correct it."
                )


@dataclass(frozen=True, slots=True)
class SpanReadout:
    """What the model says of one span; L tokens."""

    token_ids: Int[np.ndarray, " L"]
    log_probabilities: Float[np.ndarray, " L"]
    """Natural logarithm, of each token given all text before it; NaN for the first token of the text."""
    hidden_states: Float[np.ndarray, "L D"]
    """Of the last layer after its norm, at each token."""


def token_range(offsets: Sequence[Span], span: Span) -> tuple[int, int]:
    """The tokens that overlap a span of characters, half-open.

    Raises:
        InvalidConfigError: If no token does.
    """
    start, end = span
    inside = [index for index, (first, last) in enumerate(offsets) if first < end and last > start]
    if not inside:
        raise InvalidConfigError(f"span {start}-{end}: expected at least one token in it, found none. Widen it.")
    return inside[0], inside[-1] + 1


def read_spans(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[MarkedText],
    *,
    token_budget: int = 8192,
) -> list[list[SpanReadout]]:
    """Log-probabilities and last hidden states of marked spans, in the order of texts and spans.

    Args:
        model: A causal language model.
        tokenizer: Its fast tokenizer (character offsets are needed).
        texts: Texts with spans.
        token_budget: Most tokens in one forward pass, padding included.

    Raises:
        PromptTooLongError: If a text is longer than the model's context.
        InvalidConfigError: If a span holds no token.
        InvalidModelError: If the model scales or caps its logits.
    """
    _require_plain_head(model)
    encoded = tokenizer([text.text for text in texts], add_special_tokens=False, return_offsets_mapping=True)
    rows = cast("list[list[int]]", encoded["input_ids"])
    require_room([len(row) for row in rows], context_tokens=_context(model), max_tokens=0)
    ranges = [
        [token_range(offsets, span) for span in text.spans]
        for text, offsets in zip(texts, cast("list[list[Span]]", encoded["offset_mapping"]), strict=True)
    ]
    found: list[list[SpanReadout]] = [[] for _ in texts]
    for batch in length_batches([len(row) for row in rows], token_budget=token_budget):
        hidden = _last_hidden(model, [rows[index] for index in batch])
        for index, states in zip(batch, hidden, strict=True):
            found[index] = [
                _readout(model, rows[index], states=states, first=first, last=last) for first, last in ranges[index]
            ]
    return found


def length_batches(lengths: Sequence[int], *, token_budget: int) -> Iterator[list[int]]:
    """Positions in batches of like length, longest first; rows times the longest stay within the budget."""
    batch: list[int] = []
    for position in sorted(range(len(lengths)), key=lambda index: (-lengths[index], index)):
        if batch and (len(batch) + 1) * lengths[batch[0]] > token_budget:
            yield batch
            batch = []
        batch.append(position)
    if batch:
        yield batch


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
    slots = [_Slot.at(tokenizer, prefix, numbers) for prefix in prefixes]
    longest = [len(slot.stem) + slot.depth for slot in slots]
    require_room(longest, context_tokens=_context(model), max_tokens=0)
    found = np.zeros((len(slots), len(numbers)))
    order = sorted(range(len(slots)), key=lambda index: (len(slots[index].stem), index))
    for first in range(0, len(order), max_rows):
        batch = order[first : first + max_rows]
        found[batch] = _walk(model, [slots[index] for index in batch], n_numbers=len(numbers), prune=prune)
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
class _Slot:
    """A place where a number follows: the tokens before it, and how each admitted number goes on."""

    stem: tuple[int, ...]
    spelled: Mapping[Path, int]
    """From token paths to the position of the number that they spell."""
    branches: Mapping[Path, tuple[int, ...]]
    """From the beginning of a path to the tokens that may come next."""

    @property
    def depth(self) -> int:
        return max(map(len, self.spelled))

    @classmethod
    def at(cls, tokenizer: PreTrainedTokenizerBase, prefix: str, numbers: Sequence[int]) -> "_Slot":
        # Whether a number's first token swallows the space before it depends on the tokenizer, so that numbers are
        # tokenised in their place and what all of them share is the stem.
        texts = [f"{prefix}{number}" for number in numbers]
        rows = cast("list[list[int]]", tokenizer(texts, add_special_tokens=False)["input_ids"])
        alone = cast("list[int]", tokenizer(prefix, add_special_tokens=False)["input_ids"])
        shared = _shared(rows, at_most=len(alone))
        spelled = {tuple(row[shared:]): position for position, row in enumerate(rows)}
        branches: dict[Path, set[int]] = {}
        for path in spelled:
            for length in range(len(path)):
                branches.setdefault(path[:length], set()).add(path[length])
        return cls(tuple(rows[0][:shared]), spelled, {start: tuple(sorted(next_)) for start, next_ in branches.items()})


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
def _walk(model: PreTrainedModel, slots: Sequence[_Slot], *, n_numbers: int, prune: float) -> np.ndarray:
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
    slot: _Slot, front: _Front, log_probabilities: Float[Tensor, " V"], *, into: np.ndarray, prune: float
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


# --- forward passes --------------------------------------------------------------------------------------------------


def left_padded(
    rows: Sequence[Sequence[int]], *, device: torch.device
) -> tuple[Int[Tensor, "B L"], Int[Tensor, "B L"]]:
    """Token ids with padding on the left, and a mask that is 1 where a token is."""
    longest = max(map(len, rows))
    ids = torch.tensor([[0] * (longest - len(row)) + list(row) for row in rows])
    is_token = torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in rows])
    return ids.to(device), is_token.to(device)


def _next_logits(
    model: PreTrainedModel, ids: Int[Tensor, "B L"], *, is_token: Int[Tensor, "B T"], cache: DynamicCache
) -> Float[Tensor, "B V"]:
    positions = (is_token.cumsum(dim=1) - 1).clamp(min=0)[:, -ids.shape[1] :]
    output = cast(Callable[..., Any], model)(
        input_ids=ids, attention_mask=is_token, position_ids=positions, past_key_values=cache, logits_to_keep=1
    )
    return cast(Tensor, output.logits[:, -1].float().log_softmax(dim=-1).cpu())


@torch.inference_mode()
def _last_hidden(model: PreTrainedModel, rows: Sequence[Sequence[int]]) -> list[Float[Tensor, "L D"]]:
    ids, is_token = left_padded(rows, device=model.device)
    positions = (is_token.cumsum(dim=1) - 1).clamp(min=0)
    # The body alone: logits of a whole batch over a vocabulary of 150,000 would take gigabytes.
    body = _without_peft(model).base_model
    states = body(input_ids=ids, attention_mask=is_token, position_ids=positions, use_cache=False).last_hidden_state
    return [state[-len(row) :] for state, row in zip(states, rows, strict=True)]


def _without_peft(model: PreTrainedModel) -> Any:
    """The transformers model; an adapter's layers are inside it and stay at work."""
    unwrap = getattr(model, "get_base_model", None)
    return model if unwrap is None else unwrap()


@torch.inference_mode()
def _require_plain_head(model: PreTrainedModel) -> None:
    """Refuse models that do more to their logits than one matrix (soft caps, scales): ours would be wrong.

    Raises:
        InvalidModelError: If the model's own logits of a short text differ from those of body and head.
    """
    ids = [1, 2, 3]  # any will do but padding, often 0, whose state may be zero
    theirs = cast(Any, model)(input_ids=torch.tensor([ids], device=model.device)).logits[0].float()
    ours = _without_peft(model).get_output_embeddings()(_last_hidden(model, [ids])[0]).float()
    if not torch.allclose(ours, theirs, rtol=1e-2, atol=1e-2):
        raise InvalidModelError(
            f"{model.config.name_or_path}: expected logits that are the output head's, got others (a cap or a scale). "
            "Log-probabilities of spans cannot be read from this model; take another."
        )


@torch.inference_mode()
def _readout(
    model: PreTrainedModel, row: Sequence[int], *, states: Float[Tensor, "L D"], first: int, last: int
) -> SpanReadout:
    head = _without_peft(model).get_output_embeddings()
    # The state at a token predicts the next one; before the first token of a text there is none.
    known = max(first, 1)
    ids = torch.tensor(row[known:last], device=states.device)
    logp = head(states[known - 1 : last - 1]).float().log_softmax(dim=-1).gather(1, ids[:, None])[:, 0]
    return SpanReadout(
        token_ids=np.asarray(row[first:last]),
        log_probabilities=np.concatenate([np.full(known - first, np.nan), logp.cpu().double().numpy()]),
        hidden_states=states[first:last].float().cpu().numpy(),
    )


def _context(model: PreTrainedModel) -> int | None:
    return cast("int | None", getattr(model.config.get_text_config(), "max_position_embeddings", None))
