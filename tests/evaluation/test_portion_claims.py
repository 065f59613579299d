"""Parts of a history, turns of taste and habits in the words of many writers, each with a false twin."""

from datetime import UTC, datetime

import polars as pl
import pytest

from whyrec.evaluation.verification.interest_facts import InterestCatalogue, InterestFacts
from whyrec.evaluation.verification.interests import verify_interests

# Sixteen films, oldest first: of the first six four are comedies; of the last ten six are westerns, two are comedies.
TAKEN = ["Comedy"] * 4 + ["Drama"] * 2 + ["Western"] * 6 + ["Comedy"] * 2 + ["Drama", "Thriller"]
OTHERS = ["Horror"] * 8 + ["Drama"] * 6 + ["Comedy"] * 2
GENRES = [*TAKEN, *OTHERS, "Sci-Fi"]
ITEMS = pl.DataFrame(
    {
        "item_id": [f"i{n}" for n in range(len(GENRES))],
        "title": [f"Film {n}" for n in range(len(GENRES))],
        "genres": [[genre] for genre in GENRES],
    }
)
HISTORY = [f"i{n}" for n in range(16)]
LOG = pl.LazyFrame(
    [
        (user, f"i{n}", datetime(2020, 1, 1, tzinfo=UTC))
        for user, numbers in (("u", range(16)), ("v", range(16, 32)), ("w", range(16, 32)))
        for n in numbers
    ],
    schema=["user_id", "item_id", "timestamp"],
    orient="row",
)
FACTS = InterestFacts(InterestCatalogue.of(ITEMS, interactions=LOG), HISTORY, f"i{len(GENRES) - 1}")

PAIRS = {
    "Six of the last ten films were westerns.": "Four of the last ten films were westerns.",
    "Of your ten most recent picks, two were comedies.": "Of your ten most recent picks, five were comedies.",
    "Out of all 16 films seen, six are westerns.": "Out of all 12 films seen, six are westerns.",
    "Westerns account for 6 of the 16 entries in the log.": "Westerns account for 9 of the 16 entries in the log.",
    "Thrillers make up one in sixteen of the films watched.": "Thrillers make up one in four of the films watched.",
    "More than a third of what you've watched is westerns.": "More than half of what you've watched is westerns.",
    "Fewer than a quarter of their choices were dramas.": "Fewer than a tenth of their choices were dramas.",
    "Roughly 38% of everything you've seen is comedies.": "Roughly 70% of everything you've seen is comedies.",
    "None of the 16 films so far is a horror film.": "None of the 16 films so far is a western.",
    "Among the last ten titles there are six westerns.": "Among the last ten titles there are three westerns.",
    "The viewer's diary holds six westerns.": "The viewer's diary holds eleven westerns.",
    "Westerns? They make up six of your last ten.": "Westerns? They make up one of your last ten.",
    "Three eighths of the record are comedies.": "Seven eighths of the record are comedies.",
    "Sixteen films have been logged to date.": "Nineteen films have been logged to date.",
    "You've sat through 16 pictures by now.": "You've sat through 23 pictures by now.",
    "The user's record runs to sixteen titles.": "The user's record runs to forty titles.",
    "A history of 16 films speaks for itself.": "A history of 61 films speaks for itself.",
    "You have seen about 15 films.": "You have seen about 25 films.",
    "There are more than a dozen films in this history.": "There are more than two dozen films in this history.",
    "Westerns appear six times among the last ten.": "Westerns appear nine times among the last ten.",
    "In the ten latest loans, westerns appear six times.": "In the ten latest loans, westerns appear twice.",
    "I counted six westerns in your last ten.": "I counted seven westerns in your last ten.",
    "The user has watched three dramas.": "The user has watched nine dramas.",
    "The user watched dramas on three occasions.": "The user watched dramas on five occasions.",
    "Three dramas are on record.": "Four dramas are on record.",
    "Comedies represent 37.5 per cent of the holdings.": "Comedies represent 57.5 per cent of the holdings.",
    "Three of the sixteen are dramas.": "Eight of the sixteen are dramas.",
}
TURNS = {
    "You used to watch more comedies than you do now.": "You used to watch fewer comedies than you do now.",
    "Interest in comedies is on the wane.": "Interest in comedies is on the rise.",
    "Lately you have been watching more westerns.": "Lately you have been watching fewer westerns.",
    "The viewer has cooled on comedies of late.": "The viewer has warmed to comedies of late.",
    "In recent months the share of comedies has dwindled.": "In recent months the share of comedies has swollen.",
    "Recently this user has been moving away from comedies.": "Recently this user has been moving away from westerns.",
    "Westerns have been gaining ground lately.": "Comedies have been gaining ground lately.",
    "These days you go for westerns more than you used to.": "These days you go for westerns less than you used to.",
    "Your appetite for comedies has waned in recent weeks.": "Your appetite for westerns has waned in recent weeks.",
    "You've taken to westerns lately.": "You've gone off westerns lately.",
}
HABITS = {
    "Horror films leave this viewer cold.": "Westerns leave this viewer cold.",
    "Nothing is borrowed more often than westerns.": "Nothing is borrowed more often than dramas.",
    "The proportion of dramas lies below the mean.": "The proportion of dramas lies well above the mean.",
    "Not a single horror film figures in the record.": "Not a single thriller figures in the record.",
    "You can't stand horror films.": "You can't stand westerns.",
    "The user doesn't watch horror films.": "The user doesn't watch westerns.",
    "Westerns are a favourite of this viewer.": "Thrillers are a favourite of this viewer, above all else.",
    "Nobody needs to tell you about westerns; you love them.": "You love horror films.",
    "You're a sucker for westerns.": "You're a sucker for horror films.",
    "This patron has a marked predilection for comedies.": "This patron has a marked predilection for dramas.",
    "An appetite for westerns keener than that of most viewers shows.": (
        "An appetite for westerns feebler, weaker than that of most viewers shows."
    ),
    "Their share of dramas falls short of the average viewer's.": "Their share of dramas exceeds the average viewer's.",
    "You don't watch as many dramas as most people do.": "You don't watch as many westerns as most people do.",
    "Dramas are watched more rarely than by the average viewer.": (
        "Westerns are watched more rarely than by the average viewer."
    ),
    "You're not a fan of dramas.": "You're not a fan of westerns.",
    "The viewer gives horror films a wide berth.": "The viewer gives comedies a wide berth.",
    "Horror films are new to this viewer.": "Westerns are new to this viewer.",
    "This viewer is no stranger to westerns.": "This viewer is no stranger to horror films.",
    "Horror films are missing from the history.": "Thrillers are missing from the history.",
    "You have yet to watch a horror film.": "You have yet to watch a western.",
    "The customer has sampled thrillers before.": "The customer has sampled horror films before.",
}


@pytest.mark.parametrize(("true", "false"), [*PAIRS.items(), *TURNS.items(), *HABITS.items()])
def test_a_statement_is_accepted_and_its_false_twin_refused(true: str, false: str) -> None:
    accepted, refused = (verify_interests(text, facts=FACTS) for text in (true, false))
    assert accepted.claims
    assert accepted.verified, accepted.unsupported
    assert refused.unsupported, refused.claims
