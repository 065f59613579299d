"""Which number a model would write at every number of a written answer: one pass over it, and the gradient is kept.

``choice_probabilities`` asks for one number at a time and keeps no gradient. Here the answer is given with all of its
numbers, and the beginnings that numbers share ("1" and "10", where digits are tokens) stand behind it, each of them
seeing the answer up to its place alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from whyrec.errors import InvalidModelError
from whyrec.llm.choices import Path, Slot, slots_at
from whyrec.llm.local.forward import RowModel

_LEAST = 1e-6
"""Least chance of going no further: its logarithm keeps a gradient."""


@dataclass(frozen=True, slots=True)
class SlottedRow:
    """A prompt and an answer to it, and the places of the answer's numbers."""

    tokens: tuple[int, ...]
    """The one that ends the answer included."""
    n_prompt: int
    slots: tuple[Slot, ...]
    """In their order."""
    is_number: tuple[bool, ...]
    """For each of ``tokens``."""


@dataclass(frozen=True, slots=True, eq=False)
class SlotReadings:
    """What a model would write, place by place."""

    probabilities: Float[Tensor, "B K M"]
    """Of each choice at each slot; they sum to 1."""
    choice_logp: Float[Tensor, "B K"]
    """Of writing any choice at all there, rather than something else."""
    logits: Float[Tensor, "B L V"]
    """Of each token of the answer; rows end together."""
    answers: Int[Tensor, "B L"]
    """The tokens that stand there."""
    is_form: Bool[Tensor, "B L"]
    """False at numbers, and before an answer begins."""


@dataclass(frozen=True, slots=True)
class Written:
    """An answer with numbers in it, and the prompt that it follows at once."""

    prompt: str
    """As the model reads it."""
    answer: str
    numbers: tuple[tuple[int, str], ...]
    """Where each number begins in ``answer``, and the number."""


@dataclass(frozen=True)
class SlotFinder:
    """Finds the places of numbers among the tokens of answers."""

    tokenizer: Any  # one of transformers' many classes
    choices: tuple[str, ...]
    """What numbers there may be."""
    adds_special_tokens: bool
    """Begin a text as the tokenizer begins one, which a chat template does by itself."""
    known: dict[str, Slot] = field(default_factory=dict)
    """What was found before."""

    def rows(self, written: Sequence[Written]) -> list[SlottedRow]:
        """Cut answers into tokens, with the places of their numbers.

        Raises:
            InvalidModelError: If a number's tokens depend on what follows it.
            InvalidConfigError: If the tokenizer makes the same tokens of two choices.
        """
        before = [it.prompt + it.answer[:start] for it in written for start, _ in it.numbers]
        slots = iter(
            slots_at(
                self.tokenizer,
                before,
                self.choices,
                adds_special_tokens=self.adds_special_tokens,
                known=self.known,
            )
        )
        n_prompts = map(len, self._tokens([it.prompt for it in written]))
        tokens = self._tokens([it.prompt + it.answer for it in written])
        return [
            self._row(it, row, slots=tuple(islice(slots, len(it.numbers))), n_prompt=n_prompt)
            for it, row, n_prompt in zip(written, tokens, n_prompts, strict=True)
        ]

    def _tokens(self, texts: list[str]) -> list[list[int]]:
        found: list[list[int]] = self.tokenizer(texts, add_special_tokens=self.adds_special_tokens)["input_ids"]
        return found

    def _row(self, it: Written, tokens: list[int], *, slots: tuple[Slot, ...], n_prompt: int) -> SlottedRow:
        is_number = [False] * (len(tokens) + 1)
        for slot, (_, number) in zip(slots, it.numbers, strict=True):
            (path,) = (path for path, place in slot.spelled.items() if self.choices[place] == number)
            end = len(slot.stem) + len(path)
            if tuple(tokens[:end]) != (*slot.stem, *path):
                raise InvalidModelError(
                    f"tokenizer: expected the same tokens of {number!r} whatever follows it, got others in "
                    f"{it.answer[:40]!r}. Take a model whose tokenizer cuts at digits."
                )
            is_number[len(slot.stem) : end] = [True] * len(path)
        return SlottedRow((*tokens, self.tokenizer.eos_token_id), n_prompt, slots, tuple(is_number))


def read_slots(model: RowModel, rows: Sequence[SlottedRow]) -> SlotReadings:
    """Read all slots of some answers, all of the same number of slots and choices.

    Args:
        model: With its gradients on, where they are wanted.
        rows: Together they must fit into memory.
    """
    packed = _Packed.of(rows, device=model.device)
    output = model.model(
        input_ids=packed.tokens,
        position_ids=packed.positions,
        attention_mask=model.layer_masks(packed.is_seen[:, None], distance=packed.distance[:, None]),
        use_cache=False,
        logits_to_keep=packed.n_kept,
    )
    # What is kept begins one token before the first answer.
    logits: Float[Tensor, "B S V"] = output.logits.float()
    n_answer = packed.n_kept - packed.n_branches - 1
    probabilities, choice_logp = _read(logits, packed)
    return SlotReadings(
        probabilities=probabilities,
        choice_logp=choice_logp,
        logits=logits[:, :n_answer],
        answers=packed.tokens[:, packed.width - n_answer : packed.width],
        is_form=packed.is_form[:, packed.width - n_answer :],
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Packed:
    """Rows that end in the same column, and behind it the beginnings that some of their numbers share."""

    rows: Sequence[SlottedRow]
    width: int
    """Columns of prompts and answers."""
    n_branches: int
    n_kept: int
    tokens: Int[Tensor, "B S"]
    positions: Int[Tensor, "B S"]
    is_seen: Bool[Tensor, "B S S"]
    is_form: Bool[Tensor, "B W"]

    @property
    def distance(self) -> Int[Tensor, "B S S"]:
        return self.positions[:, :, None] - self.positions[:, None, :]

    @classmethod
    def of(cls, rows: Sequence[SlottedRow], *, device: torch.device) -> "_Packed":
        width = max(len(row.tokens) for row in rows)
        n_branches = max(sum(1 for _ in _beginnings(row)) for row in rows)
        n_kept = max(len(row.tokens) - row.n_prompt for row in rows) + 1 + n_branches
        size = width + n_branches
        tokens = torch.zeros(len(rows), size, dtype=torch.long)
        positions = torch.zeros(len(rows), size, dtype=torch.long)
        is_seen = torch.eye(size, dtype=torch.bool).repeat(len(rows), 1, 1)
        is_form = torch.zeros(len(rows), width, dtype=torch.bool)
        for place, row in enumerate(rows):
            n = len(row.tokens)
            first = width - n
            tokens[place, first:width] = torch.tensor(row.tokens)
            positions[place, first:width] = torch.arange(n)
            is_seen[place, first:width, first:width] = torch.ones(n, n, dtype=torch.bool).tril()
            is_form[place, first + row.n_prompt :] = ~torch.tensor(row.is_number[row.n_prompt :])
            columns: dict[tuple[int, Path], int] = {}
            for column, (number, path) in enumerate(_beginnings(row), start=width):
                columns[number, path] = column
                stem = len(row.slots[number].stem)
                tokens[place, column], positions[place, column] = path[-1], stem + len(path) - 1
                is_seen[place, column, first : first + stem] = True
                for length in range(1, len(path)):
                    is_seen[place, column, columns[number, path[:length]]] = True
        at = [one.to(device) for one in (tokens, positions, is_seen, is_form)]
        return cls(rows, width, n_branches, n_kept, *at)


def _beginnings(row: SlottedRow) -> Iterator[tuple[int, Path]]:
    """Every beginning that a slot's numbers share, with the slot; shorter ones first."""
    for number, slot in enumerate(row.slots):
        yield from ((number, path) for path in sorted(slot.branches, key=lambda path: (len(path), path)) if path)


def _read(logits: Float[Tensor, "B S V"], packed: _Packed) -> tuple[Float[Tensor, "B K M"], Float[Tensor, "B K"]]:
    """Slots whose numbers are spelled alike are read together."""
    offset = packed.width + packed.n_branches - logits.shape[1]
    alike: dict[tuple[tuple[Path, int], ...], list[tuple[int, int, dict[Path, int]]]] = {}
    for place, row in enumerate(packed.rows):
        first = packed.width - len(row.tokens)
        columns: list[dict[Path, int]] = [{(): first + len(slot.stem) - 1 - offset} for slot in row.slots]
        for column, (number, path) in enumerate(_beginnings(row), start=packed.width - offset):
            columns[number][path] = column
        for number, slot in enumerate(row.slots):
            alike.setdefault(tuple(slot.spelled.items()), []).append((place, number, columns[number]))
    n_slots, n_choices = len(packed.rows[0].slots), len(packed.rows[0].slots[0].spelled)
    found = logits.new_zeros(len(packed.rows), n_slots, n_choices)
    any_choice = logits.new_zeros(len(packed.rows), n_slots)
    for members in alike.values():
        places, numbers, nodes = zip(*members, strict=True)
        slot = packed.rows[places[0]].slots[numbers[0]]
        at_nodes = {path: logits[list(places), [columns[path] for columns in nodes]] for path in slot.branches}
        at = (torch.tensor(places, device=found.device), torch.tensor(numbers, device=found.device))
        found = found.index_put(at, _choice_logp(slot, at_nodes).exp())
        begins = at_nodes[()].log_softmax(dim=1)[:, list(slot.branches[()])]
        any_choice = any_choice.index_put(at, begins.logsumexp(dim=1))
    return found, any_choice


def _choice_logp(slot: Slot, at_nodes: Mapping[Path, Float[Tensor, "N V"]]) -> Float[Tensor, "N M"]:
    """The logarithms of how likely each choice is, given the logits behind every shared beginning."""
    found: dict[int, Tensor] = {}

    def follow(path: Path, logp: Tensor) -> None:
        next_tokens = list(slot.branches.get(path, ()))
        if not next_tokens:
            found[slot.spelled[path]] = logp
            return
        if path:
            shares = at_nodes[path].log_softmax(dim=1)[:, next_tokens]
            if path in slot.spelled:
                left = 1 - shares.exp().sum(dim=1)
                found[slot.spelled[path]] = logp + left.clamp(min=_LEAST).log()
        else:
            # Nothing is written yet: some choice must come.
            shares = at_nodes[path][:, next_tokens].log_softmax(dim=1)
        for place, token in enumerate(next_tokens):
            follow((*path, token), logp + shares[:, place])

    follow((), next(iter(at_nodes.values())).new_zeros(len(next(iter(at_nodes.values())))))
    return torch.stack([found[place] for place in range(len(slot.spelled))], dim=1).log_softmax(dim=1)
