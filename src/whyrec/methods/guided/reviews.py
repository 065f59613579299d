"""What a user made of things, up to a moment: the only form in which a user reaches a prompt (G12, G16)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from whyrec.data import schema
from whyrec.data.dataset import Dataset
from whyrec.data.item_lines import SEPARATOR, ItemText, neutral, text_of
from whyrec.data.reviews import Review, reviews_before
from whyrec.errors import InvalidDataError

MOST_REVIEWS = 15
"""The most recent (G16)."""
LONGEST_REVIEW_WORDS = 80
_LONGEST_WORD = 30
"""Characters: what is written without spaces has an end too."""


@dataclass(frozen=True, slots=True)
class UserReviews:
    """A user's reviews strictly before a moment; anything else is refused."""

    user_id: str
    until: datetime
    """Of the validation item, or the end of the training data."""
    reviews: tuple[Review, ...] = ()
    """Oldest first."""

    def __post_init__(self) -> None:
        late = next((it for it in self.reviews if it.timestamp >= self.until), None)
        if late is not None:
            raise InvalidDataError(
                f"reviews of user {self.user_id!r}: expected times before {self.until.isoformat()}, got "
                f"{late.timestamp.isoformat()} for item {late.item_id!r}. Leave it out: it may be what is asked for."
            )

    def latest(self, n: int = MOST_REVIEWS) -> tuple[Review, ...]:
        """The ``n`` most recent, oldest first."""
        return self.reviews[max(len(self.reviews) - n, 0) :]


def read_reviews(data: Dataset, *, user_ids: Sequence[str], until: datetime) -> dict[str, UserReviews]:
    """Collect what users had strictly before a moment; items outside the catalogue are left out.

    Args:
        data: Its columns ``rating`` and ``review`` are read where they are there.
        user_ids: Whose.
        until: The cut-off, the same for all.

    Returns:
        By user_id, in the order of ``user_ids``; a user without any has an empty history.
    """
    return read_reviews_by_moment(data, dict.fromkeys(user_ids, until))


def read_reviews_by_moment(data: Dataset, moments: Mapping[str, datetime]) -> dict[str, UserReviews]:
    """The same where every user has a moment of its own, as where the last item of each is held out.

    Args:
        data: As in ``read_reviews``.
        moments: By user_id; what lies at a moment or after it is left out.
    """
    asked = pl.DataFrame(
        {schema.USER: list(moments), schema.TIMESTAMP: list(moments.values())},
        schema={schema.USER: pl.String(), schema.TIMESTAMP: schema.TIMESTAMP_TYPE},
    )
    found = reviews_before(data, asked)
    return {user_id: UserReviews(user_id, moments[user_id], reviews) for user_id, reviews in found.items()}


def review_line(review: Review, items: Mapping[str, ItemText], *, max_item_chars: int) -> str:
    """A review in one line: date, rating, own words cut to 80, and the item in words.

    Raises:
        UnknownIdError: If the catalogue does not hold the item.
    """
    parts = [f"{review.timestamp:%Y-%m-%d}"]
    parts += [] if review.rating is None else [f"rated {review.rating:g}"]
    own = first_words(neutral(review.text).replace("|", "/"), n=LONGEST_REVIEW_WORDS)
    parts += [f"wrote: {own}"] if own else []
    return SEPARATOR.join([*parts, text_of(review.item_id, items).line(max_chars=max_item_chars)])


def first_words(text: str, *, n: int) -> str:
    """The first ``n`` words in one line, with an ellipsis where something is left out; long ones are cut."""
    words = text.split()
    return " ".join(word[:_LONGEST_WORD] for word in words[:n]) + ("…" if len(words) > n else "")
