"""Prompts for a small model that is made from scratch: a few dozen words where the paper's have several hundred.

What is asked, what may be known and how answers are read is the same; there are no instructions, as such a model knows
four tasks by their last word.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from whyrec.data.item_lines import ItemText
from whyrec.llm.base import Message
from whyrec.methods.curec.prompts import Messages, PromptTemplate

RECOMMEND, PATTERN, REASON, UPDATE = "choose", "pattern", "reason", "update"
"""The last words of the prompts."""


@dataclass(frozen=True, slots=True)
class CompactTemplate(PromptTemplate):
    """The four prompts in a few words each."""

    def labels(self, candidates: Sequence[ItemText]) -> list[str]:
        """What the candidates are called: one word each."""
        # Named, as a class with slots is made twice and loses its bare super().
        return ["-".join(label.split()) for label in PromptTemplate.labels(self, candidates)]

    def recommendation(self, history: Sequence[ItemText], *, candidates: Sequence[ItemText]) -> Messages:
        """Ask which candidate comes next."""
        labels = self.labels(candidates)
        listed = [self._words(item, label=label) for item, label in zip(candidates, labels, strict=True)]
        return _asked(self._past(history), " ".join(["of", *listed]), RECOMMEND)

    def pattern(self, history: Sequence[ItemText]) -> Messages:
        """Ask for a user's interests."""
        return _asked(self._past(history), PATTERN)

    def reason(self, target: ItemText, *, pattern: str | None, history: Sequence[ItemText]) -> Messages:
        """Ask why a user would like an item."""
        return _asked(_known(pattern), self._past(history), self._target(target), REASON)

    def update(self, target: ItemText, *, pattern: str | None) -> Messages:
        """Ask for pattern and reason after an item was chosen."""
        return _asked(_known(pattern), self._target(target), UPDATE)

    def _past(self, history: Sequence[ItemText]) -> str:
        newest = history[max(len(history) - self.max_history, 0) :]
        return " ".join(["took", *map(self._words, newest)])

    def _target(self, item: ItemText) -> str:
        return f"now {self._words(item)}"

    def _words(self, item: ItemText, label: str | None = None) -> str:
        """Attributes first, so that a name stands right behind what a model looks it up by."""
        values = " ".join(item.attributes.values()).replace(",", " ")
        name = label or ("" if self.mask_titles else "-".join(item.title.split()))
        room = self.max_item_chars - len(name) - 1
        return " ".join([*(item.masked(values) if self.mask_titles else values)[: max(room, 0)].split(), name]).strip()


def _asked(*parts: str) -> Messages:
    return (Message("user", " ".join(parts)),)


def _known(pattern: str | None) -> str:
    return " ".join(["likes", *(pattern or "").replace("- ", "").split()])
