"""What texts say of a user's habits: more than others, most of all, over half, ever, never; true and false."""

from datetime import UTC, datetime

import polars as pl
import pytest

from whyrec.evaluation.verification.interest_facts import InterestCatalogue, InterestFacts
from whyrec.evaluation.verification.interests import verify_interests

GENRES = ["Comedy", "Comedy", "Comedy", "Drama", "Western", "Horror", "Horror", "Sci-Fi"]
ITEMS = pl.DataFrame(
    {
        "item_id": [f"i{n}" for n in range(len(GENRES))],
        "title": [f"Film {n}" for n in range(len(GENRES))],
        "genres": [[genre] for genre in GENRES],
    }
)
# One user took three comedies, a drama and a western; others took horror films and the drama.
TAKEN = {"u": ["i0", "i1", "i2", "i3", "i4"], "v": ["i5", "i6", "i3"], "w": ["i5", "i6", "i3"]}
LOG = pl.LazyFrame(
    [(user, item, datetime(2020, 1, 1, tzinfo=UTC)) for user, items in TAKEN.items() for item in items],
    schema=["user_id", "item_id", "timestamp"],
    orient="row",
)
FACTS = InterestFacts(InterestCatalogue.of(ITEMS, interactions=LOG), TAKEN["u"], "i7")

STATED = {
    "The user watches more comedies than the average user.": True,
    "The user watches more dramas than the average user.": False,
    "The share of dramas is below that of most people.": True,
    "Comedies are overrepresented compared with the mean user.": True,
    "Comedies are underrepresented compared with other users.": False,
    "Over half of what you've watched are comedies.": True,
    "The minority of the history is made up of comedies.": False,
    "Less than half of the history are westerns.": True,
    "The most frequent category in the history is comedies.": True,
    "You can't get enough of westerns, nothing else comes close.": False,
    "The user has watched westerns before.": True,
    "You've had a taste of horror films.": False,
    "The user has never watched horror films before.": True,
    "You've never touched comedies.": False,
    "There are fewer westerns than comedies in the history.": True,
    "You've had more dramas than comedies.": False,
    "Interactions with sci-fi are on record for this user.": False,
}


@pytest.mark.parametrize(("text", "holds"), STATED.items())
def test_habits_are_found_and_compared_with_the_history(text: str, holds: bool) -> None:
    """The item in question is a science fiction film: none of these is read as said of it."""
    verdict = verify_interests(text, facts=FACTS)
    assert verdict.claims
    assert verdict.verified == holds, verdict.claims


def test_what_is_said_of_the_item_is_still_the_items() -> None:
    assert not verify_interests("It is a western.", facts=FACTS).verified
    assert verify_interests("It is a sci-fi film.", facts=FACTS).verified
    assert not verify_interests("“Film 7” is a comedy, and the user has watched comedies before.", facts=FACTS).verified


def test_the_word_history_is_no_genre() -> None:
    facts = InterestFacts(FACTS.catalogue, TAKEN["u"], "i7")
    verdict = verify_interests("The history is comedies most of all.", facts=facts)
    assert [claim.kind for claim in verdict.claims] == ["aspect"]
    assert verdict.verified


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("It is not a western.", True),
        ("It isn't a sci-fi film.", False),
        ("This film is anything but a comedy.", True),
        ("It is not only a sci-fi film.", True),
        ("It is not classified as a drama.", True),
        ("It is neither a western nor a sci-fi film.", False),
    ],
)
def test_what_an_item_is_said_not_to_be(text: str, holds: bool) -> None:
    assert verify_interests(text, facts=FACTS).verified == holds
