"""What may be known of a user at a moment: what was taken strictly before it, own words, and facts about the person."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

import polars as pl

from whyrec.data.dataset import Dataset
from whyrec.data.item_lines import ItemText, cut, neutral, text_of
from whyrec.data.reviews import Review, reviews_before
from whyrec.errors import InvalidDataError
from whyrec.methods.mllm3rec.equations import semantic_context

_LONGEST_REVIEW = 400


@dataclass(frozen=True, slots=True)
class UserContext:
    """One user at a moment (H_u, and z_u where it is given); nothing in it is later."""

    user_id: str | None
    """None for somebody who is known by own words alone."""
    taken: tuple[Review, ...] = ()
    """Oldest first."""
    stated: str = ""
    """What the user says to be after, in free words."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """Facts about the person, such as ``age: 34`` (see M-LLM3REC Eq. (6); M11)."""

    @property
    def is_empty(self) -> bool:
        """True if there is neither a history nor a stated motivation, so that nothing can be inferred."""
        return not self.taken and not self.stated.strip()

    def require_something(self) -> None:
        """Refuse a user of whom nothing is known.

        Raises:
            InvalidDataError: If there is neither a history nor a stated motivation.
        """
        if self.is_empty:
            raise InvalidDataError(
                f"{self.owner}: expected a history or a stated motivation, got neither. Ask what the user is after, or "
                "recommend what is popular."
            )

    @property
    def owner(self) -> str:
        """Whose it is, for messages."""
        return "user without an id" if self.user_id is None else f"user {self.user_id!r}"

    def before(self, moment: datetime) -> "UserContext":
        """The same user with what was taken strictly before a moment."""
        return replace(self, taken=tuple(it for it in self.taken if it.timestamp < moment))

    def latest(self, n: int) -> "UserContext":
        """The same user with the ``n`` newest interactions."""
        return replace(self, taken=self.taken[max(len(self.taken) - n, 0) :])

    def single(self) -> list["UserContext"]:
        """The same user once for each interaction, with that one alone (M-LLM3REC §3.1.4)."""
        return [replace(self, taken=(one,), stated="") for one in self.taken]


def contexts_before(data: Dataset, moments: pl.DataFrame) -> dict[str, UserContext]:
    """Collect what each user took strictly before a moment of one's own.

    Args:
        data: The log; its columns ``rating`` and ``review`` are read where they are there.
        moments: ``user_id, timestamp``, one row per user, such as the cases of ``candidate_cases``.

    Returns:
        By user_id, in the order of ``moments``; a user without a history has an empty one. Items that the catalogue
        does not hold are left out.
    """
    return {user_id: UserContext(user_id, taken) for user_id, taken in reviews_before(data, moments).items()}


def feedback(review: Review) -> str:
    """What a user made of an item, in words (r_j); empty where nothing is known."""
    rating = "" if review.rating is None else f"rated {review.rating:g}"
    words = cut(" ".join(neutral(review.text).split()), max_chars=_LONGEST_REVIEW)
    return " | ".join(part for part in (rating, f"wrote: {words}" if words else "") if part)


def history_block(context: UserContext, items: Mapping[str, ItemText], *, max_item_chars: int) -> str:
    """A history in words, one numbered line per interaction: H1, H2, ... (C_u).

    Raises:
        UnknownIdError: If an item is not in the catalogue.
    """
    lines = [text_of(it.item_id, items).line(max_chars=max_item_chars) for it in context.taken]
    return semantic_context(lines, [feedback(it) for it in context.taken])


def metadata_line(metadata: Mapping[str, str]) -> str:
    """Facts about a person in one line."""
    return "; ".join(f"{neutral(key)}: {' '.join(neutral(value).split())}" for key, value in metadata.items())
