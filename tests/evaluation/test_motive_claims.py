"""What texts say of motivations and of traits, true and false."""

import pytest

from whyrec.evaluation.verification.motives import Motive, MotiveFacts, motive_claims

FACTS = MotiveFacts(
    (
        Motive("value", "value for money", 3),
        Motive("novelty", "novelty and learning", 1),
        Motive("giving", "giving to others", 0),
    ),
    traits=frozenset({"a late twist", "gangland feuds"}),
    known_traits=frozenset({"a late twist", "gangland feuds", "witty banter"}),
)
STATED = {
    "Value for money has a strength of 3 out of 3.": True,
    "On the scale of zero to three, value for money scores 2.": False,
    "A strength of one was assigned to learning.": True,
    "What this user wants most is much for little money.": True,
    "The dominant motivation is novelty.": False,
    "This user looks for novelty.": True,
    "This user looks for gifts.": False,
    "Evidence of interest in giving to others is absent.": True,
    "You don't care about a bargain.": False,
    "The film is known for its late twists.": True,
    "The item has witty banter.": False,
    "The film does not have witty banter.": True,
    "Expect no trace of gangland feuds.": False,
    "Into a late twist? Then this isn't for you.": False,
    "Into witty banter? Then this isn't for you.": True,
}


@pytest.mark.parametrize(("text", "holds"), STATED.items())
def test_statements_are_found_and_compared(text: str, holds: bool) -> None:
    [claim] = motive_claims(text, FACTS)
    assert claim.supported == holds, claim
    assert text[claim.start : claim.end] == claim.text
    assert bool(claim.problem) != holds


def test_what_is_no_statement_is_no_claim() -> None:
    assert list(motive_claims("Novelty is a word.", FACTS)) == []
    assert list(motive_claims("A film about money.", FACTS)) == []
    assert list(motive_claims("This user looks for novelty.", MotiveFacts(()))) == []


def test_ids_name_motivation_and_trait() -> None:
    found = list(motive_claims("This user looks for bargains. The film has a late twist.", FACTS))
    assert [claim.evidence_ids for claim in found] == [("motivation:value",), ("trait:a late twist",)]
