"""What a local model makes of a text that is there already: log-probabilities and hidden states.

Nothing is generated here. Texts are raw: what a chat template adds, the caller has rendered.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

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
    require_plain_head(model)
    encoded = tokenizer([text.text for text in texts], add_special_tokens=False, return_offsets_mapping=True)
    rows = cast("list[list[int]]", encoded["input_ids"])
    require_room([len(row) for row in rows], context_tokens=context_tokens(model), max_tokens=0)
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


# --- forward passes --------------------------------------------------------------------------------------------------


def left_padded(
    rows: Sequence[Sequence[int]], *, device: torch.device
) -> tuple[Int[Tensor, "B L"], Int[Tensor, "B L"]]:
    """Token ids with padding on the left, and a mask that is 1 where a token is."""
    longest = max(map(len, rows))
    ids = torch.tensor([[0] * (longest - len(row)) + list(row) for row in rows])
    is_token = torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in rows])
    return ids.to(device), is_token.to(device)


@torch.inference_mode()
def _last_hidden(model: PreTrainedModel, rows: Sequence[Sequence[int]]) -> list[Float[Tensor, "L D"]]:
    ids, is_token = left_padded(rows, device=model.device)
    positions = (is_token.cumsum(dim=1) - 1).clamp(min=0)
    # The body alone: logits of a whole batch over a vocabulary of 150,000 would take gigabytes.
    body = without_peft(model).base_model
    states = body(input_ids=ids, attention_mask=is_token, position_ids=positions, use_cache=False).last_hidden_state
    return [state[-len(row) :] for state, row in zip(states, rows, strict=True)]


def without_peft(model: PreTrainedModel) -> Any:
    """The transformers model; an adapter's layers are inside it and stay at work."""
    unwrap = getattr(model, "get_base_model", None)
    return model if unwrap is None else unwrap()


@torch.inference_mode()
def require_plain_head(model: PreTrainedModel) -> None:
    """Refuse models that do more to their logits than one matrix (soft caps, scales): ours would be wrong.

    Raises:
        InvalidModelError: If the model's own logits of a short text differ from those of body and head.
    """
    ids = [1, 2, 3]  # any will do but padding, often 0, whose state may be zero
    theirs = cast(Any, model)(input_ids=torch.tensor([ids], device=model.device)).logits[0].float()
    ours = without_peft(model).get_output_embeddings()(_last_hidden(model, [ids])[0]).float()
    if not torch.allclose(ours, theirs, rtol=1e-2, atol=1e-2):
        raise InvalidModelError(
            f"{model.config.name_or_path}: expected logits that are the output head's, got others (a cap or a scale). "
            "Log-probabilities of spans cannot be read from this model; take another."
        )


@torch.inference_mode()
def _readout(
    model: PreTrainedModel, row: Sequence[int], *, states: Float[Tensor, "L D"], first: int, last: int
) -> SpanReadout:
    head = without_peft(model).get_output_embeddings()
    # The state at a token predicts the next one; before the first token of a text there is none.
    known = max(first, 1)
    ids = torch.tensor(row[known:last], device=states.device)
    logp = head(states[known - 1 : last - 1]).float().log_softmax(dim=-1).gather(1, ids[:, None])[:, 0]
    return SpanReadout(
        token_ids=np.asarray(row[first:last]),
        log_probabilities=np.concatenate([np.full(known - first, np.nan), logp.cpu().double().numpy()]),
        hidden_states=states[first:last].float().cpu().numpy(),
    )


def context_tokens(model: PreTrainedModel) -> int | None:
    """The most tokens that a model reads; None if it does not say."""
    return cast("int | None", getattr(model.config.get_text_config(), "max_position_embeddings", None))
