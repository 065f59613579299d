"""The living batch: rows that are being answered, one token each per step; rows leave when done and others join."""

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import torch

from whyrec.llm.base import SamplingConfig
from whyrec.llm.grammar import TokenMasks
from whyrec.llm.local.decoding import AnswerText, choose_tokens
from whyrec.llm.local.forward import RowModel
from whyrec.llm.local.prefixes import shared_length
from whyrec.llm.local.rowcache import RowCache


@dataclass(slots=True)
class Row:
    """One prompt on its way to an answer."""

    position: int
    """Its place among the prompts that were asked."""
    prompt: list[int]
    prefix: int
    """How many of its first tokens are computed once for its group."""
    draws: random.Random
    matcher: Any = None  # xgrammar's, if the answer must obey a schema
    answer: list[int] = field(default_factory=list)
    finish: str = ""
    """Empty while it goes on."""
    note: str = ""
    seconds: float = 0.0
    """Its share of the time that was spent on batches it was in."""
    joined: float = 0.0

    @property
    def length(self) -> int:
        """Tokens in the cache: all but the last one, which is fed next."""
        return len(self.prompt) + len(self.answer) - 1

    @property
    def last(self) -> int:
        """The token to feed next."""
        return self.answer[-1] if self.answer else self.prompt[-1]


@dataclass(frozen=True, slots=True)
class Rules:
    """What is the same for all rows of a call."""

    sampling: SamplingConfig
    stop_tokens: frozenset[int]
    text: AnswerText
    masks: TokenMasks | None
    """None for free text."""


class LivingBatch:
    """Rows 0 to n of a cache, in step.

    A row joins with all but the last token of its prompt computed; the next step then reads that token like any
    other. So joining rows need no logits of their own and fall in with the rest at once.
    """

    def __init__(self, model: RowModel, rules: Rules) -> None:
        """Start empty."""
        self.rows: list[Row] = []
        self._model = model
        self._rules = rules
        self._cache = RowCache(n_rows=0, n_columns=0)
        self._prefix_cache = RowCache(n_rows=1, n_columns=0)
        self._prefix: list[int] = []
        # Grows by a step's time over its number of rows: a row's share is the growth while it was there.
        self._clock = 0.0

    def need(self, row: Row) -> int:
        """Columns that a row may come to fill."""
        return len(row.prompt) + self._rules.sampling.max_tokens

    def join(self, rows: Sequence[Row], *, most_rows: int) -> None:
        """Take rows in, computing their prompts.

        Args:
            rows: At least one.
            most_rows: How many rows are to be expected, so that room is made once.
        """
        started = time.perf_counter()
        first = len(self.rows)
        tails = [row.prompt[row.prefix : -1] for row in rows]
        self._make_room([*self.rows, *rows], most_rows=most_rows, padded=_padded_length(rows, tails))
        at = first
        for prefix, group in groupby(rows, key=lambda row: row.prompt[: row.prefix]):
            of_group = range(at, at := at + len(list(group)))
            if prefix:
                self._read_prefix(prefix)
                self._cache.copy_beginning(self._prefix_cache, of_group, n_columns=len(prefix))
        self._model.extend_ragged(self._cache, tails, first=first, starts=[row.prefix for row in rows])
        share = (time.perf_counter() - started) / len(rows)
        for row in rows:
            row.seconds, row.joined = share, self._clock
        self.rows += rows

    def step(self) -> list[Row]:
        """Choose one more token for every row; return the rows that are done with it, which have left."""
        started = time.perf_counter()
        for row, token, obeyed in zip(self.rows, *self._next_tokens(), strict=True):
            self._take(row, token, obeyed=obeyed)
        self._clock += (time.perf_counter() - started) / len(self.rows)
        done = [row for row in self.rows if row.finish]
        if done:
            self._close_ranks()
        for row in done:
            row.seconds += self._clock - row.joined
        return done

    def _next_tokens(self) -> tuple[list[int], list[bool]]:
        rows, sampling, masks = self.rows, self._rules.sampling, self._rules.masks
        fed = torch.tensor([[row.last, row.length] for row in rows], device=self._model.device)
        visible = max(row.length for row in rows) + 1
        logits = self._model.extend(self._cache, fed[:, :1], fed[:, 1:], first=0, visible=visible)
        matchers = [row.matcher for row in rows]
        if masks is not None:
            logits = logits.float()
            masks.apply(logits, matchers)
        draws = [row.draws.random() for row in rows] if sampling.temperature else []
        tokens = choose_tokens(logits, draws, temperature=sampling.temperature, top_p=sampling.top_p).tolist()
        return tokens, [True] * len(rows) if masks is None else masks.accept(matchers, tokens)

    def _take(self, row: Row, token: int, *, obeyed: bool) -> None:
        if not obeyed:
            row.finish, row.note = "stop", "the tokenizer cannot write what the schema wants next"
            return
        row.answer.append(token)
        if token in self._rules.stop_tokens or self._rules.text.has_ended(row.answer):
            row.finish = "stop"
        elif len(row.answer) == self._rules.sampling.max_tokens:
            row.finish = "length"

    def _close_ranks(self) -> None:
        """Move the last rows into the places of those that have left."""
        n_left = sum(not row.finish for row in self.rows)
        gaps = [at for at in range(n_left) if self.rows[at].finish]
        movers = [at for at in range(n_left, len(self.rows)) if not self.rows[at].finish]
        if gaps:
            longest = max(self.rows[at].length for at in movers)
            self._cache.move(movers, gaps, n_columns=longest)
        for gap, mover in zip(gaps, movers, strict=True):
            self.rows[gap] = self.rows[mover]
        del self.rows[n_left:]

    def _make_room(self, rows: Sequence[Row], *, most_rows: int, padded: int) -> None:
        n_columns = max(padded, *(self.need(row) for row in rows))
        if len(rows) > self._cache.n_rows or n_columns > self._cache.n_columns:
            self._cache.resize(n_rows=most_rows, n_columns=n_columns)

    def _read_prefix(self, prefix: list[int]) -> None:
        """Bring the prefix cache to this prefix, keeping what it shares with the one before."""
        if prefix == self._prefix:
            return
        shared = shared_length(prefix, self._prefix)
        if len(prefix) > self._prefix_cache.n_columns:
            self._prefix_cache.resize(n_rows=1, n_columns=len(prefix))
        self._model.extend_ragged(self._prefix_cache, [prefix[shared:]], first=0, starts=[shared])
        self._prefix = prefix


def _padded_length(rows: Sequence[Row], tails: Sequence[Sequence[int]]) -> int:
    """Columns that joining writes to, with padding."""
    return max(row.prefix for row in rows) + max(map(len, tails))
