"""Statements about a user's interests, true and false, as people, templates and language models write them."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from whyrec.errors import UnknownIdError
from whyrec.evaluation.verification.interest_facts import InterestCatalogue, InterestFacts
from whyrec.evaluation.verification.interests import cited_evidence, verify_interests
from whyrec.evaluation.verification.titles import spoken_title, year_in_title

START = datetime(2001, 1, 1, tzinfo=UTC)
ITEMS = pl.DataFrame(
    [
        ("1", "Alpha Trail (1961)", "Western|Drama", "John Stone", "Ann Lee, Bob Ray", 2.0, "A rider finds a mine."),
        ("2", "Bitter Creek (1962)", "Western", "John Stone", "Bob Ray, Ann Lee", 4.0, "An outlaw rides to the mine."),
        ("3", "Canyon, The (1963)", "Western|War", "P.J. Wood", "Ann Lee", 6.0, "Soldiers guard a mine."),
        ("4", "Easy Laughs (1984)", "Comedy", "Carl Holm", "John Stone", 8.0, "A clown and a wedding."),
        ("5", "Funny Bones (1985)", "Comedy|Romance", "Carl Holm", "Eve Orr", 9.0, "The wedding goes wrong."),
        ("6", "Dusty Road (1968)", "Western|Drama", "John Stone", "Dee Fox", 12.5, "An outlaw leaves the mine."),
        ("7", "Iron Stars (1992)", "Sci-Fi", "Ida Quinn", "Hal Ives", 20.0, "A robot leaves the planet."),
    ],
    schema=["item_id", "title", "genres", "director", "actors", "price", "plot"],
    orient="row",
)  # fmt: skip
USERS = {"u": "1243", "v": "4455", "w": "4577", "x": "7645"}
LOG = pl.DataFrame(
    [(user, item, START + timedelta(days=day)) for user, items in USERS.items() for day, item in enumerate(items)],
    schema=["user_id", "item_id", "timestamp"],
    orient="row",
)
CATALOGUE = InterestCatalogue.of(ITEMS, interactions=LOG.lazy(), text_columns=["plot"])
HISTORY = ("1", "2", "4", "3")
"""Alpha Trail, Bitter Creek, Easy Laughs, The Canyon: three westerns of four; one comedy."""
REASON = InterestFacts(CATALOGUE, HISTORY, "6")
PATTERN = InterestFacts(CATALOGUE, HISTORY)

TRUE_REASONS = (
    "“Dusty Road” is a western, as are “The Canyon” and “Bitter Creek”.",
    "Westerns make up three of the four films so far. “Dusty Road” is another, a 1968 drama by John Stone.",
    "Three of the last four films are westerns, and “Dusty Road” is one too.",
    "“Dusty Road” was directed by John Stone, as were two of the four films so far.",
    "This viewer turns to westerns more often than the average viewer; “Dusty Road” fits.",
    "Because this viewer likes westerns such as “Alpha Trail”, “Dusty Road (1968)” is a good choice.",
    "“Dusty Road” has “mine” in its plot, as do three of the four films so far.",
    "Like “The Canyon”, “Dusty Road” dates from the 1960s.",
    "A film of the 1960s, priced at 12.50, “Dusty Road” was made in 1968.",
    "“Dusty Road” is a drama; none of the last two films is.",
    "“Dusty Road” has Dee Fox in its cast, but none of the four films so far does.",
    "Westerns by John Stone are what this viewer loves, so “Dusty Road” is a safe bet.",
    "“Dusty Road” is in the dearest quarter of the catalogue; none of the four films so far is.",
    "“Dusty Road” goes with that: it mentions “western”.",
    "“Dusty Road” goes with that: it mentions “outlaw”.",
)  # fmt: skip
FALSE_REASONS = (
    ("“Dusty Road” goes with that: it mentions “comedy”.", "comedy"),
    ("“Dusty Road” goes with that: it mentions “wedding”.", "wedding"),
    ("“Dusty Road” is a comedy, as is “Easy Laughs”.", "Comed"),
    ("“Dusty Road” was directed by Carl Holm.", "Carl Holm"),
    ("“Dusty Road” has Ann Lee in its cast.", "Ann Lee"),
    ("Like “Iron Stars”, “Dusty Road” is a western.", "Iron Stars"),
    ("Like “Easy Laughs”, “Dusty Road” is a western.", "Easy Laughs"),
    ("Westerns make up two of the four films so far; “Dusty Road” is another.", "two of the four films so far"),
    ("Three of the last three films are westerns; “Dusty Road” is one too.", "Three of the last three films"),
    ("Three of the last ten films are westerns; “Dusty Road” is one too.", "Three of the last ten films"),
    ("This viewer turns to dramas less often than the average viewer; “Dusty Road” is one.", "less often than"),
    ("Westerns come up more than three times as often as with the average viewer.", "more than three times"),
    ("“Dusty Road” dates from the 1970s.", "1970s"),
    ("“Dusty Road” was made in 1967.", "1967"),
    ("“Dusty Road” is priced at 12.90.", "12.90"),
    ("“Dusty Road” has “robot” in its plot.", "robot"),
    ("“Dusty Road” is in the cheapest quarter of the catalogue.", "cheapest quarter"),
    ("“Dusty Road” is a western with 3 heroes.", "3"),
    ("“Dusty Road” was chosen before; it is a western.", "was chosen before"),
    ("“Dusty Road” is a western, and none of the four films so far is.", "none of the four films so far"),
    ("There are no films so far; “Dusty Road” is a western.", "no films so far"),
    ("Of twelve films so far, most are like “Dusty Road”.", "twelve films so far"),
)


@pytest.mark.parametrize("text", TRUE_REASONS)
def test_a_true_reason_is_verified(text: str) -> None:
    verdict = verify_interests(text, facts=REASON)
    assert verdict.unsupported == ()
    assert verdict.verified


@pytest.mark.parametrize(("text", "culprit"), FALSE_REASONS)
def test_a_false_claim_is_found_and_named(text: str, culprit: str) -> None:
    verdict = verify_interests(text, facts=REASON)
    assert not verdict.verified
    assert any(culprit.casefold() in claim.text.casefold() for claim in verdict.unsupported)


def test_an_interest_that_the_user_does_not_have_is_found_though_the_item_fits() -> None:
    facts = InterestFacts(CATALOGUE, HISTORY, "7")
    for text in (
        "This viewer likes science fiction films, so “Iron Stars” fits.",
        "This viewer turns to science fiction films more often than the average viewer; “Iron Stars” is one.",
        "“Iron Stars” suits a taste for films by Ida Quinn.",
    ):
        assert verify_interests(text, facts=facts).unsupported[0].kind == "aspect"
    assert verify_interests("“Iron Stars” is a science fiction film by Ida Quinn.", facts=facts).verified


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("Westerns come up again and again: three of the four films so far, “Alpha Trail” among them.", True),
        ("Comedies such as “Easy Laughs” are rarer than with others.", True),
        ("This viewer is fond of westerns.", True),
        ("This viewer is fond of comedies.", False),  # 1/4 against (1/4 + 1 + 1/2 + 1/2) / 4
        ("This viewer rarely picks comedies.", True),
        ("Science fiction films come up.", False),
        ("A film with Ann Lee turns up in three of the four films so far.", True),
        ("“Iron Stars” is a favourite.", False),
        ("Films by John Stone make up two of the four films so far.", True),
        ("Films with John Stone make up one of the four films so far.", True),  # he acts in Easy Laughs
        ("Films with John Stone make up two of the four films so far.", False),
        ("All four films so far are comedies.", False),
        ("The only film so far is “Alpha Trail”.", False),
    ],
)
def test_patterns_are_judged_by_the_history_alone(text: str, holds: bool) -> None:
    assert verify_interests(text, facts=PATTERN).verified is holds


def test_the_average_users_share_is_the_mean_of_the_users_shares() -> None:
    assert CATALOGUE.average["genres", "western"] == pytest.approx((3 / 4 + 0 + 0 + 1 / 4) / 4)
    assert CATALOGUE.average["genres", "comedy"] == pytest.approx((1 / 4 + 1 + 1 / 2 + 1 / 2) / 4)
    assert CATALOGUE.average["decade", "1960s"] == pytest.approx((3 / 4 + 1 / 4) / 4)
    assert REASON.lift(("genres", "western")) == pytest.approx((3 / 4) / (1 / 4))
    assert REASON.lift(("genres", "western"), last=2) == pytest.approx((1 / 2) / (1 / 4))


def test_what_came_later_is_no_evidence() -> None:
    """A title that the user takes only afterwards is refused at the moment t, and accepted once it is history."""
    text = "Like “Funny Bones”, “Easy Laughs” is a comedy."
    before = InterestFacts(CATALOGUE, ("1", "2"), "4")
    after = InterestFacts(CATALOGUE, ("1", "2", "5"), "4")
    assert [claim.text for claim in verify_interests(text, facts=before).unsupported] == ["Funny Bones"]
    assert verify_interests(text, facts=after).verified


def test_initials_do_not_end_a_sentence() -> None:
    facts = InterestFacts(CATALOGUE, HISTORY, "3")
    assert verify_interests(
        "One of the four films so far is by P.J. Wood, who made “The Canyon”.", facts=facts
    ).verified


def test_words_that_are_no_values_are_left_alone() -> None:
    """ "War" and "drama" are genres here; in passing they claim nothing."""
    text = "No drama about it: in the war for attention “Easy Laughs” wins."
    verdict = verify_interests(text, facts=InterestFacts(CATALOGUE, HISTORY, "4"))
    assert "war" not in {claim.text for claim in verdict.claims}


def test_a_text_in_another_language_or_without_a_claim_is_not_verified() -> None:
    for text in ("Ein guter Film für den Abend.", "Это хороший фильм.", "", "A fine choice!"):
        assert not verify_interests(text, facts=REASON).verified


def test_evidence_is_listed_once_and_says_what_it_is() -> None:
    text = "Westerns make up three of the four films so far, “Alpha Trail” among them. “Dusty Road” is a western too."
    evidence = cited_evidence(verify_interests(text, facts=REASON), facts=REASON)
    by_id = {entry.id: entry for entry in evidence}
    assert len(by_id) == len(evidence)
    assert by_id["interaction:1"].kind == "interaction"
    assert by_id["interaction:1"].value == "Alpha Trail (1961)"
    assert by_id["aspect:genres=western"].value == 3 / 4
    assert by_id["title"].value == "Dusty Road (1968)"
    assert by_id["history"].value == 4


def test_an_item_outside_the_catalogue_is_refused() -> None:
    with pytest.raises(UnknownIdError, match="expected items of the catalogue, got '99'"):
        InterestFacts(CATALOGUE, ("1", "99"))


@given(
    st.text(
        alphabet="“”Dusty RoadAlphTrilWesternscomedies 0123456789.,:;of thelastfour so farmore than\n", max_size=160
    )
)
def test_any_text_is_judged_with_exact_spans(text: str) -> None:
    for facts in (REASON, PATTERN):
        for claim in verify_interests(text, facts=facts).claims:
            assert text[claim.start : claim.end] == claim.text
            assert bool(claim.problem) != claim.supported


@given(said=st.integers(0, 12), last=st.integers(1, 12))
def test_a_count_passes_exactly_when_it_is_right(said: int, last: int) -> None:
    """Of the last M films, oldest first W W C W, the westerns are 1, 1, 2, 3."""
    true = {1: 1, 2: 1, 3: 2, 4: 3}
    text = f"{said} of the last {last} films are westerns."
    claims = [claim for claim in verify_interests(text, facts=PATTERN).claims if claim.kind == "number"]
    assert claims
    assert all(claim.supported for claim in claims) is (true.get(last) == said)


@pytest.mark.parametrize(
    ("title", "said", "year"),
    [
        ("Matrix, The (1999)", "The Matrix", 1999),
        ("Cité des enfants perdus, La (1995)", "La Cité des enfants perdus", 1995),
        ("City of Lost Children, The (Cité des enfants perdus, La) (1995)", "The City of Lost Children", 1995),
        ("Heat", "Heat", None),
        ("Seven (a.k.a. Se7en)", "Seven (a.k.a. Se7en)", None),
        ("JAM MAKING SET WITH JARS", "Jam making set with jars", None),
        ("IQ", "IQ", None),
        ("(1999)", "(1999)", 1999),
    ],
)
def test_titles_are_said_as_people_say_them(title: str, said: str, year: int | None) -> None:
    assert spoken_title(title) == said
    assert year_in_title(title) == year


def test_an_item_without_a_title_goes_by_its_id() -> None:
    titles = pl.when(pl.col("item_id") == "6").then(None).when(pl.col("item_id") == "1").then(pl.lit(" "))
    items = ITEMS.with_columns(titles.otherwise("title").alias("title"))
    facts = InterestFacts(InterestCatalogue.of(items, interactions=LOG.lazy()), HISTORY, "6")
    assert [facts.catalogue.items[item_id].title for item_id in "612"] == ["6", "1", "Bitter Creek (1962)"]
    assert verify_interests("“6” is a western, as is “1”.", facts=facts).verified
    assert not verify_interests("“None” is a western.", facts=facts).verified
