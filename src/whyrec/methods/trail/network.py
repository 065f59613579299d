"""The language model with its projection head, and the losses of one batch (TRAIL §4.2)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from whyrec.llm.readouts import without_peft
from whyrec.methods.trail.encoding import Batch
from whyrec.methods.trail.equations import info_nce, projection_head, weighted_cross_entropy
from whyrec.methods.trail.number_words import soft_words


class ProjectionHead(nn.Module):
    """The two maps of TRAIL's seventh equation with their weights."""

    def __init__(self, width: int, *, hidden: int, out: int, dropout: float) -> None:
        """Make an untrained head.

        Args:
            width: Columns of the language model's states.
            hidden: Rows of W1.
            out: Columns of the space in which explanations are contrasted.
            dropout: Share of the hidden units that are dropped in training.
        """
        super().__init__()
        self.first, self.second = nn.Linear(width, hidden), nn.Linear(hidden, out, bias=False)
        self.norm = nn.LayerNorm(out)
        self.dropout = dropout

    def forward(self, embeddings: Float[Tensor, "B D"]) -> Float[Tensor, "B O"]:
        """Project the embeddings of explanations."""
        mask = None
        if self.training and self.dropout:
            kept = torch.full((len(embeddings), self.first.out_features), 1 - self.dropout, device=embeddings.device)
            mask = torch.bernoulli(kept) / (1 - self.dropout)
        return projection_head(
            embeddings,
            first_weight=self.first.weight,
            first_bias=self.first.bias,
            second_weight=self.second.weight,
            dropout_mask=mask,
            norm_scale=self.norm.weight,
            norm_shift=self.norm.bias,
        )


@dataclass(frozen=True, slots=True)
class Losses:
    """The terms of a batch, each a mean; 0 where a batch has nothing for a term."""

    supervised: Float[Tensor, ""]
    contrastive: Float[Tensor, ""]
    explanation: Float[Tensor, ""]


class TrailNetwork(nn.Module):
    """What is trained: the adapted model (or all of a small one) and the head."""

    score_words: Tensor | None

    def __init__(
        self, model: Any, head: ProjectionHead, *, score_words: Int[Tensor, " K"] | None, spread: float
    ) -> None:
        """Put model and head together.

        Args:
            model: A causal language model, with or without an adapter.
            head: For the explanations.
            score_words: The tokens of the number words where the score is one; None where it is spelled in digits.
            spread: Of the target over the words around the count, in log1p; 0 is the paper's single token.
        """
        super().__init__()
        self.model = model
        self.head = head
        self.spread = spread
        self.register_buffer("score_words", score_words, persistent=False)

    def forward(
        self,
        batch: Batch,
        is_positive: Bool[Tensor, "B B"] | None = None,
        is_negative: Bool[Tensor, "B B"] | None = None,
        *,
        temperature: float = 0.1,
    ) -> Losses:
        """The three losses of a batch.

        Args:
            batch: Texts; with pairs, all of them have explanations.
            is_positive: Pairs that are pulled together; None leaves the contrastive term out.
            is_negative: Pairs that are pushed apart.
            temperature: Of the contrast.
        """
        states = last_states(self.model, batch)
        zero = states.float().sum() * 0
        contrastive = zero
        if is_positive is not None:
            spans = span_means(states.float(), batch.is_told)
            # A cosine in bfloat16 is right to two digits, and the temperature divides it by .1.
            with torch.autocast(states.device.type, enabled=False):
                contrastive = info_nce(self.head(spans), is_positive, is_negative=is_negative, temperature=temperature)
        return Losses(self._supervised(states, batch), contrastive, self._explanation(states, batch, zero))

    def _supervised(self, states: Float[Tensor, "B L D"], batch: Batch) -> Float[Tensor, ""]:
        weights = batch.token_weights[:, 1:]
        is_counted = weights > 0
        logits = self._logits(states[:, :-1][is_counted])
        labels, kept = batch.ids[:, 1:][is_counted], weights[is_counted]
        if self.score_words is None or self.spread == 0:
            return weighted_cross_entropy(logits, labels, kept)
        # The score's token gets a distribution as its truth; all others stay what they are.
        is_score = torch.zeros_like(batch.is_told)
        is_score[torch.arange(len(batch.ids)), batch.score_places] = True
        # Single precision even where logits are bfloat16, in which a distribution of 140 words would not sum to 1.
        targets = nn.functional.one_hot(labels, logits.shape[1]).float()
        spread = soft_words(batch.counts.cpu().numpy().astype(np.float64), spread=self.spread)
        rows = torch.zeros(len(batch.ids), logits.shape[1], device=logits.device)
        rows[:, self.score_words] = torch.from_numpy(spread).to(rows)
        targets[is_score[:, 1:][is_counted]] = rows
        return weighted_cross_entropy(logits, targets, kept)

    def _explanation(self, states: Float[Tensor, "B L D"], batch: Batch, zero: Tensor) -> Float[Tensor, ""]:
        is_told = batch.is_told[:, 1:]
        if not bool(is_told.any()):
            return zero
        logits = self._logits(states[:, :-1][is_told])
        labels = batch.ids[:, 1:][is_told]
        return weighted_cross_entropy(logits, labels, torch.ones_like(labels, dtype=torch.float32))

    def _logits(self, states: Float[Tensor, "N D"]) -> Float[Tensor, "N V"]:
        return without_peft(self.model).get_output_embeddings()(states)  # type: ignore[no-any-return]


def last_states(model: Any, batch: Batch) -> Float[Tensor, "B L D"]:
    """States of the last layer after its norm; logits over a large vocabulary are made only where they are needed."""
    output = without_peft(model).base_model(input_ids=batch.ids, attention_mask=batch.is_token, use_cache=False)
    return output.last_hidden_state  # type: ignore[no-any-return]


def span_means(states: Float[Tensor, "B L D"], is_told: Bool[Tensor, "B L"]) -> Float[Tensor, "B D"]:
    """The embedding of each explanation: the mean of its tokens' states, markers included (methods of TRAIL §4.2.1).

    Rows without an explanation give zeros.
    """
    share = is_told.to(states.dtype)
    return (states * share[:, :, None]).sum(dim=1) / share.sum(dim=1, keepdim=True).clamp(min=1)
