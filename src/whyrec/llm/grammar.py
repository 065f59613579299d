"""Forcing a local model to obey a schema: at each step, tokens that would break it are ruled out (xgrammar).

A pattern must match the answer from its first character to its last, with or without ``^`` and ``$`` around it; that
is also how ``structured.py`` reads it. JSON comes on one line, without spaces to spare. What cannot be forced is
refused (``grammar_schemas.py``, ``grammar_patterns.py``), so that an answer which ends by itself obeys its schema; what
still can break it is a ``oneOf`` whose alternatives overlap, an ``enum`` that contradicts its ``type``, and a name that
is given twice where ``additionalProperties`` allows any.
"""

import json
from collections.abc import Sequence
from typing import Any

import xgrammar
from torch import Tensor

from whyrec.errors import InvalidConfigError
from whyrec.llm.grammar_patterns import safe_pattern
from whyrec.llm.grammar_schemas import forcible_schema
from whyrec.llm.structured import JsonSchema, OutputSchema


class Grammars:
    """Compiles schemas for one model, each once."""

    def __init__(self, tokenizer: Any, *, n_logits: int, stop_tokens: Sequence[int]) -> None:
        """Take the model's vocabulary.

        Args:
            tokenizer: A tokenizer of transformers.
            n_logits: Width of the model's logits; it often exceeds the tokens that the tokenizer knows.
            stop_tokens: What ends an answer.
        """
        info = xgrammar.TokenizerInfo.from_huggingface(
            tokenizer, vocab_size=n_logits, stop_token_ids=sorted(stop_tokens)
        )
        self._n_logits = n_logits
        self._compiler = xgrammar.GrammarCompiler(info)
        self._compiled: dict[OutputSchema, Any] = {}

    def matcher(self, schema: OutputSchema) -> Any:
        """Follow one answer under a schema; good for one answer only.

        Raises:
            InvalidConfigError: If the schema says what cannot be forced.
        """
        if schema not in self._compiled:
            self._compiled[schema] = self._compile(schema)
        return xgrammar.GrammarMatcher(self._compiled[schema])

    def _compile(self, schema: OutputSchema) -> Any:
        try:
            if isinstance(schema, JsonSchema):
                text = json.dumps(forcible_schema(json.loads(schema.text)), ensure_ascii=False)
                return self._compiler.compile_json_schema(text, any_whitespace=False)
            return self._compiler.compile_regex(safe_pattern(schema.pattern, in_json=False))
        except (RuntimeError, ValueError) as error:
            if isinstance(error, InvalidConfigError):
                raise
            name = schema.name if isinstance(schema, JsonSchema) else schema.pattern
            raise InvalidConfigError(
                f"schema {name!r}: expected one that a model can be made to obey, got {_reason(error)}. Simplify it."
            ) from error


class TokenMasks:
    """The masks of a batch, filled and applied in one go for all its rows."""

    def __init__(self, n_logits: int) -> None:
        """Take the width of the model's logits."""
        self._n_logits = n_logits
        self._masks = xgrammar.allocate_token_bitmask(1, n_logits)
        self._batch = xgrammar.BatchGrammarMatcher()

    def apply(self, logits: Tensor, matchers: Sequence[Any]) -> None:
        """Set the logits of tokens that would break a row's schema to -inf, in place."""
        if len(self._masks) < len(matchers):
            self._masks = xgrammar.allocate_token_bitmask(len(matchers), self._n_logits)
        masks = self._masks[: len(matchers)]
        self._batch.batch_fill_next_token_bitmask(list(matchers), masks)
        xgrammar.apply_token_bitmask_inplace(logits, masks.to(logits.device, non_blocking=True))

    def accept(self, matchers: Sequence[Any], tokens: Sequence[int]) -> list[bool]:
        """Tell each row's token to its matcher; False where the schema left no token to choose."""
        accepted: list[bool] = self._batch.batch_accept_token(list(matchers), list(tokens))
        return accepted


def _reason(error: Exception) -> str:
    line = " ".join(str(error).split())
    return line[-160:] if len(line) > 160 else line
