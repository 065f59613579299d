"""One forward pass over rows of a ``RowCache``: masks, positions, and the check that a model can be run this way."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from whyrec.errors import InvalidModelError
from whyrec.llm.local.rowcache import RowCache, Target

_FULL, _SLIDING = "full_attention", "sliding_attention"
# Tokens of one forward pass over prompts: enough to keep a processor busy, few enough for its caches.
_RUN_TOKENS = 4096
# Another pass costs about as much as this many tokens of padding.
_PASS_TOKENS = 256
_WORST_PADDING = 1.1
# Largest difference of a logit from the model's own, as a share of the largest logit.
_TOLERANCE = {torch.float32: 1e-3, torch.bfloat16: 0.1, torch.float16: 0.02}


@dataclass(frozen=True, slots=True)
class RowModel:
    """A causal language model that extends the rows of a cache."""

    model: Any  # a transformers model; its forward() is its own matter

    @property
    def device(self) -> torch.device:
        """Where it runs."""
        device: torch.device = self.model.device
        return device

    @property
    def context_tokens(self) -> int | None:
        """The most tokens of prompt and answer together; None if the model does not say."""
        limit: int | None = getattr(self._config, "max_position_embeddings", None)
        return limit

    @property
    def _config(self) -> Any:
        return self.model.config.get_text_config(decoder=True)

    @torch.inference_mode()
    def extend(self, cache: RowCache, tokens: Tensor, columns: Tensor, *, first: int, visible: int) -> Tensor:
        """Feed the next tokens of rows that stand together.

        Args:
            cache: Where their past is, and where the new tokens go.
            tokens: (B, L).
            columns: Position of each token in its row, (B, L).
            first: Row of the first of them.
            visible: One more than the highest column.

        Returns:
            Logits of what follows the last of ``tokens``, (B, V).
        """
        cache.target = Target.of(columns, first=first, visible=visible)
        limit = self.context_tokens
        output = self.model(
            input_ids=tokens,
            # Padding may stand beyond the last position that the model knows.
            position_ids=columns if limit is None or visible <= limit else columns.clamp(max=limit - 1),
            attention_mask=self._masks(columns, visible),
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        logits: Tensor = output.logits[:, -1]
        return logits

    def extend_ragged(
        self, cache: RowCache, tails: Sequence[Sequence[int]], *, first: int, starts: Sequence[int]
    ) -> None:
        """Feed row ``first + i`` the tokens ``tails[i]`` from column ``starts[i]`` on, for their keys and values.

        Padding stands beyond a row's end, where the tokens to come overwrite it; the cache needs columns for it.
        """
        for run in similar_runs([len(tail) for tail in tails]):
            longest = max(len(tails[at]) for at in run)
            if longest:
                padded = [[*tails[at], *[0] * (longest - len(tails[at]))] for at in run]
                begins = torch.tensor([starts[at] for at in run], device=self.device)[:, None]
                columns = begins + torch.arange(longest, device=self.device)
                visible = max(starts[at] for at in run) + longest
                tokens = torch.tensor(padded, device=self.device)
                self.extend(cache, tokens, columns, first=first + run.start, visible=visible)

    def _masks(self, columns: Tensor, visible: int) -> Tensor | dict[str, Tensor]:
        """What each token sees of its row: nothing beyond itself, and only what is near in layers with a window."""
        if columns.shape[1] > 1 and bool((columns[:, 0] == columns[0, 0]).all()):
            columns = columns[:1]  # one mask for all rows
        seen, own = torch.arange(visible, device=columns.device), columns[:, None, :, None]
        return self.layer_masks(seen <= own, distance=own - seen)

    def layer_masks(self, is_seen: Tensor, *, distance: Tensor) -> Tensor | dict[str, Tensor]:
        """Masks in the form that the model takes; layers with a window see only what is near.

        Args:
            is_seen: Which keys a token may see, (B, 1, L, S).
            distance: How far each of them is before it, of the same shape or one that spreads to it.
        """
        window = getattr(self._config, "sliding_window", None)
        layer_types = getattr(self._config, "layer_types", None)
        if window is None or (layer_types and _SLIDING not in layer_types):
            return self._additive(is_seen)
        near = self._additive(is_seen & (distance < window))
        return {_FULL: self._additive(is_seen), _SLIDING: near} if layer_types else near

    def _additive(self, mask: Tensor) -> Tensor:
        """The form that every kind of attention takes; it is made once, not once per layer."""
        dtype = self.model.dtype
        return torch.zeros(mask.shape, dtype=dtype, device=mask.device).masked_fill_(~mask, torch.finfo(dtype).min)


def similar_runs(lengths: Sequence[int]) -> list[range]:
    """Divide rows into runs of similar length, so that little is computed for padding and no run is too large."""
    runs: list[range] = []
    begin = longest = total = 0
    for at, length in enumerate(lengths):
        padded = (at + 1 - begin) * max(longest, length)
        if at > begin and (padded > _RUN_TOKENS or padded > _WORST_PADDING * (total + length) + _PASS_TOKENS):
            runs.append(range(begin, at))
            begin, longest, total = at, 0, 0
        longest, total = max(longest, length), total + length
    return [*runs, range(begin, len(lengths))] if lengths else runs


def require_rows(model: RowModel, *, name: str, n_tokens: int) -> int:
    """Try two rows of unequal length, and refuse a model that answers otherwise than alone.

    Models with a running state, or that derive positions from the attention mask, cannot be run by rows.

    Returns:
        The width of its logits; it may exceed the tokens that the tokenizer knows.

    Raises:
        InvalidModelError: If the model is of another kind.
    """
    config = model._config
    reason = "its layers keep a running state or count positions in their own way"
    # The second name is of GPT-Neo, whose local layers count columns from the end of the batch.
    kinds = [*(getattr(config, "layer_types", None) or ()), *(getattr(config, "attention_layers", None) or ())]
    strange = set(kinds) - {_FULL, _SLIDING, "global"}
    if not getattr(model.model, "_is_stateful", False) and not strange:
        try:
            difference, width = _difference(model, n_tokens=n_tokens)
        except (AttributeError, LookupError, NotImplementedError, RuntimeError, TypeError, ValueError) as error:
            raise _refused(name, config.model_type, f"{type(error).__name__}: {str(error)[:100]}") from error
        if difference <= _TOLERANCE.get(model.model.dtype, 0.1):
            return width
        reason = f"logits move by {100 * difference:.2g}% in a batch"
    raise _refused(name, config.model_type, reason)


def _refused(name: str, model_type: str, reason: str) -> InvalidModelError:
    return InvalidModelError(
        f"{name}: expected a model that answers several prompts side by side as it does alone, got one of type "
        f"{model_type!r} ({reason}). Take one with plain attention, such as Llama, Qwen3 or Gemma."
    )


@torch.inference_mode()
def _difference(model: RowModel, *, n_tokens: int) -> tuple[float, int]:
    """How far logits by rows are from the model's own, as a share of the largest, and how many there are."""
    line = [(7 * place + 3) % n_tokens for place in range(9)]
    rows = [line[:4], line[::-1]]
    cache = RowCache(n_rows=2, n_columns=len(line))
    model.extend_ragged(cache, [row[:-1] for row in rows], first=0, starts=[0, 0])
    last = torch.tensor([[row[-1]] for row in rows], device=model.device)
    columns = torch.tensor([[len(row) - 1] for row in rows], device=model.device)
    ours = model.extend(cache, last, columns, first=0, visible=len(line)).float()
    alone = [model.model(input_ids=torch.tensor([row], device=model.device), use_cache=False) for row in rows]
    theirs = torch.stack([output.logits[0, -1] for output in alone]).float()
    return float((ours - theirs).abs().max() / theirs.abs().max().clamp(min=1e-6)), theirs.shape[1]
