"""What texts say of levels on readable scales, true and false, in the words of several people."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whyrec.evaluation.verification.levels import LevelFacts, ScaleFacts, level_claims
from whyrec.interfaces import Claim

TENSION = ScaleFacts("tension", "tension level", "no tension", "extremely tense", 9.6, 3.8, mean=5.5, push=0.4)
PACE = ScaleFacts("pace", "pace", "very slow", "very fast", 2.1, 3.0, mean=5.5, push=-0.2)
ERA = ScaleFacts("era", "historical vs. contemporary", "historical", "modern", None, 7.0, mean=5.5, push=0.1)
FACTS = LevelFacts((TENSION, PACE, ERA), base_push=2.0)
ITEM, USER = "level:item:{}", "level:user:{}"

TRUE = {
    "Its tension is 9.6.": "level:item:tension",
    "A tension level of 9.6 out of 10.": "level:item:tension",
    "On pace it scores about 2.": "level:item:pace",
    "This user prefers a tension of 3.8.": "level:user:tension",
    "The film has high tension.": "level:item:tension",
    "Tension is well above average.": "level:item:tension",
    "It is extremely tense.": "level:item:tension",
    "It is not very fast.": "level:item:pace",
    "It has little pace.": "level:item:pace",
    "This viewer likes low tension.": "level:user:tension",
    "□□□ moves up for its tension.": "push:tension",
    "Its pace counts against it.": "push:pace",
    "Its pace pulls it down.": "push:pace",
    "Its tension works in its favour.": "push:tension",
    "What was learnt from who took what is most of it: the larger part of its score is who took what.": "base",
}
FALSE = {
    "Its tension is 6.9.": "level:item:tension",
    "A tension level of 3.8 out of 10.": "level:item:tension",
    "On pace it scores about 8.": "level:item:pace",
    "This user prefers a tension of 9.6.": "level:user:tension",
    "The film has little tension.": "level:item:tension",
    "Tension is well below average.": "level:item:tension",
    "It has no tension.": "level:item:tension",
    "It is very fast.": "level:item:pace",
    "It is not extremely tense.": "level:item:tension",
    "This viewer likes high tension.": "level:user:tension",
    "□□□ moves up for its pace.": "push:pace",
    "Its tension counts against it.": "push:tension",
    "Its pace lifts it.": "push:pace",
    "Its historical vs. contemporary is 7.": "level:item:era",
    "What was learnt from who took what speaks against it.": "base",
}


def claims_of(text: str, facts: LevelFacts = FACTS) -> list[Claim]:
    found = list(level_claims(text, facts))
    for claim in found:
        assert text[claim.start : claim.end] == claim.text
        assert claim.supported == (not claim.problem)
    return found


@pytest.mark.parametrize(("text", "evidence"), TRUE.items())
def test_true_statements_are_found_and_hold(text: str, evidence: str) -> None:
    found = claims_of(text)
    assert evidence in {name for claim in found for name in claim.evidence_ids}
    assert [claim for claim in found if not claim.supported] == []


@pytest.mark.parametrize(("text", "evidence"), FALSE.items())
def test_false_statements_are_found_and_do_not_hold(text: str, evidence: str) -> None:
    wrong = [claim for claim in claims_of(text) if not claim.supported]
    assert evidence in {name for claim in wrong for name in claim.evidence_ids}


def test_user_and_item_are_told_apart_within_a_sentence() -> None:
    found = claims_of("Its tension is 9.6 of 10, while the user prefers a tension of 3.8.")
    assert [(claim.text, claim.evidence_ids) for claim in found] == [
        ("9.6", ("level:item:tension",)),
        ("3.8", ("level:user:tension",)),
    ]


def test_the_same_side_is_a_claim_about_the_scales_named_before() -> None:
    on_one = "Its pace moves it down. The user stands on the same side."
    apart = "Its tension moves it up. The user stands on the same side."
    assert all(claim.supported for claim in claims_of(on_one))
    assert [claim.text for claim in claims_of(apart) if not claim.supported] == ["on the same side"]
    assert all(claim.supported for claim in claims_of(apart.replace("the same", "the other")))


@pytest.mark.parametrize("base_push", [-0.5, 0.5])
def test_an_item_is_here_for_what_speaks_for_it(base_push: float) -> None:
    [claim] = level_claims("□□□ is here for what was learnt from who took what.", replace(FACTS, base_push=base_push))
    assert claim.evidence_ids == ("base",)
    assert claim.supported is (base_push > 0)


def test_that_no_aspect_moves_an_item_up_is_checked() -> None:
    text = "□□□ is here for what was learnt from who took what; no aspect moves it up."
    assert [claim.supported for claim in claims_of(text) if claim.text == "moves it up"] == [False]
    none = LevelFacts(tuple(replace(scale, push=-0.1) for scale in FACTS.scales), base_push=1.0)
    assert all(claim.supported for claim in claims_of(text, none))


COMPARED = {
    "Its tension is higher than what the user prefers.": True,
    "There's more pace in it than you usually go for.": False,
    "This one has less pace than your average film.": True,
    "The item's tension falls short of the user's preferred level.": False,
    "On tension, the preference and the item agree.": False,
    "When it comes to suspense, you and this film are poles apart.": True,
    "On pace, the film sits at the lower end.": True,
    "On tempo, the film is above the middle.": False,
    "The user's preferred level of pace is high.": False,
    "It is suspenseful.": True,
    "This viewer likes films slow-moving.": True,
}


@pytest.mark.parametrize(("text", "holds"), COMPARED.items())
def test_items_are_compared_with_users_and_with_the_mean(text: str, holds: bool) -> None:
    found = claims_of(text)
    assert found
    assert all(claim.supported for claim in found) == holds


@given(push=st.floats(-2, 2).filter(lambda push: abs(push) > 1e-6))
def test_what_moves_up_does_not_move_down(push: float) -> None:
    facts = LevelFacts((replace(TENSION, push=push),), base_push=0.0)
    up, down = (claims_of(f"Its tension moves it {way}.", facts)[0].supported for way in ("up", "down"))
    assert up == (push > 0)
    assert down == (push < 0)


@given(said=st.integers(1, 10), level=st.floats(1, 10))
def test_a_whole_number_holds_if_the_level_rounds_to_it(said: int, level: float) -> None:
    facts = LevelFacts((replace(TENSION, item=level),), base_push=0.0)
    [claim] = [it for it in claims_of(f"Its tension is {said}.", facts) if it.text == str(said)]
    assert claim.supported == (abs(said - level) <= 0.5 + 1e-9)


def test_a_scale_with_letters_that_patterns_use_is_found() -> None:
    odd = replace(TENSION, key="c_plus", name="C++ (level*)", low="(none)", high="[all]")
    facts = LevelFacts((odd,), base_push=0.0)
    assert claims_of("Its c plus moves it up.", facts)[0].evidence_ids == ("push:c_plus",)
    assert list(level_claims("Nothing is said of scales here.", LevelFacts((), base_push=0.0))) == []
