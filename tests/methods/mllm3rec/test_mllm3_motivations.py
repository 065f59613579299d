"""Profiles from a language model: what they may rest on, what becomes of bad answers, reflection and coherence."""

import math
from datetime import timedelta

import polars as pl
import pytest
from mllm3_shop import ITEMS, START, answer, asked, at, context, last_words, lines_of, profile, scripted, shop

from whyrec.data.dataset import Dataset
from whyrec.data.reviews import Review
from whyrec.errors import InvalidConfigError, InvalidDataError, PromptTooLongError, UnknownIdError
from whyrec.llm.base import Prompt, SamplingConfig
from whyrec.methods.mllm3rec.artefacts import Profile
from whyrec.methods.mllm3rec.contexts import UserContext, contexts_before
from whyrec.methods.mllm3rec.motivations import (
    ProfileExtractor,
    profile_coherence,
    profile_exemplar,
    require_strangers,
)
from whyrec.methods.mllm3rec.prompts import Exemplar
from whyrec.methods.mllm3rec.schema import default_schema


def moments(**days: float) -> pl.DataFrame:
    return pl.DataFrame(
        {"user_id": list(days), "timestamp": [at(day) for day in days.values()]},
        schema_overrides={"timestamp": pl.Datetime("us", "UTC")},
    )


def test_a_context_holds_what_was_taken_strictly_before_the_users_own_moment() -> None:
    found = contexts_before(shop(), moments(u=2, v=1, nobody=9))
    assert [it.item_id for it in found["u"].taken] == ["soap", "pen"]
    assert found["u"].taken[0] == Review("soap", at(0), 5.0, "No itch\nany more")
    assert found["u"].taken[1] == Review("pen", at(1))
    assert found["v"].is_empty
    assert found["nobody"].is_empty
    assert found["u"].before(at(1)).taken == found["u"].taken[:1]
    assert context("soap", "pen", "kite").latest(2).taken == context("soap", "pen", "kite").taken[1:]
    assert context("soap").latest(0).taken == ()


def test_a_planted_later_interaction_reaches_no_prompt() -> None:
    """The case's own interaction, one of the same moment and one of later are planted; the prompt must not change."""
    case = moments(u=1.5)
    planted = pl.DataFrame(
        {
            "user_id": ["u", "u"],
            "item_id": ["pen", "kite"],
            "timestamp": [at(1.5), at(1.5) + timedelta(microseconds=1)],
            "rating": [1.0, 1.0],
            "review": ["LEAK", "LEAK"],
        },
        schema_overrides={"timestamp": pl.Datetime("us", "UTC")},
    )
    data = shop()
    log = pl.concat([data.interactions.collect(), planted], how="diagonal_relaxed")
    told = []
    for world in (data, Dataset.from_frames(log, data.items, name="planted")):
        model = scripted(lambda _: answer(("safety", 2, ["H1"])))
        ProfileExtractor(model, ITEMS).extract(list(contexts_before(world, case).values()))
        told.append(asked(model))
    assert told[0] == told[1]
    assert "LEAK" not in "".join(map(last_words, told[1]))
    # The leak is caught where the moment is not kept to.
    model = scripted(lambda _: answer(("safety", 2, ["H1"])))
    later = contexts_before(Dataset.from_frames(log, data.items, name="planted"), moments(u=9))
    ProfileExtractor(model, ITEMS).extract(list(later.values()))
    assert "LEAK" in last_words(asked(model)[0])


def test_an_exemplar_of_a_user_who_is_asked_about_is_refused() -> None:
    exemplar = profile_exemplar(
        context("soap", user_id="v"),
        profile(("safety", 3), user_id="v"),
        items=ITEMS,
        schema=default_schema(),
    )
    model = scripted(lambda _: answer(("safety", 2, ["H1"])))
    extractor = ProfileExtractor(model, ITEMS, exemplars=(exemplar,))
    with pytest.raises(
        InvalidConfigError, match="exemplars: expected training users alone, got user 'v', who is asked"
    ):
        extractor.extract([context("pen", user_id="u"), context("kite", user_id="v")])
    assert not asked(model)
    extractor.extract([context("pen", user_id="u")])
    _, question, solved, *_ = asked(model)[0].messages
    assert "<history>\nH1. Oat Soap" in question.content
    assert '"evidence": ["H1"]' in solved.content
    require_strangers([Exemplar("q", "a")], ["v"])


def test_an_exemplar_must_rest_on_its_own_history() -> None:
    kept = {"items": ITEMS, "schema": default_schema()}
    with pytest.raises(
        InvalidConfigError, match=r"exemplar of user 'u': expected a profile of user 'u' .* got evidence 'pen'"
    ):
        profile_exemplar(context("soap"), profile(("value", 1), evidence=["pen"]), **kept)
    with pytest.raises(InvalidConfigError, match="got another user"):
        profile_exemplar(context("soap"), profile(("value", 1), user_id="w"), **kept)
    with pytest.raises(InvalidDataError, match="got 'luck'"):
        profile_exemplar(context("soap"), profile(("luck", 1)), **kept)


def test_profiles_come_in_order_and_bad_answers_are_counted() -> None:
    said = [answer(("safety", 2, ["H1"])), answer(("luck", 2, ["H1"])), "no", answer(("value", 1, ["H2"]))]
    model = scripted(said)
    extractor = ProfileExtractor(model, ITEMS, reflects=False)
    users = [context("soap", *["pen"] * n, user_id=f"u{n}") for n in range(3)]
    first, second, third, fourth = extractor.extract([*users, context("pen", "kite", user_id="u3")])
    assert first == Profile("u0", first.motivations if first else (), "scripted")
    assert first is not None
    assert first.motivations[0].evidence == ("soap",)
    assert second is third is None
    assert fourth is not None
    assert fourth.motivations[0].evidence == ("kite",)
    assert extractor.failures == {"outside the schema": 1, "form": 1}
    assert model.usage.failed == 2


def test_a_user_of_whom_nothing_is_known_is_refused_before_anything_is_asked() -> None:
    model = scripted([])
    extractor = ProfileExtractor(model, ITEMS)
    with pytest.raises(
        InvalidDataError, match=r"user 'w': expected a history or a stated motivation, got neither\. Ask what the user"
    ):
        extractor.extract([context("soap"), UserContext("w", stated="  ")])
    with pytest.raises(InvalidDataError, match="user without an id: expected a history or a stated motivation"):
        extractor.extract([UserContext(None)])
    assert not asked(model)


def test_stated_motivations_need_no_history_and_no_evidence() -> None:
    model = scripted(lambda _: answer(("sustainability", 3, []), ("giving", 2, [])))
    (found,) = ProfileExtractor(model, ITEMS, reflects=False).extract(
        [UserContext(None, stated="I want gifts that are eco-friendly")]
    )
    assert found is not None
    assert found.user_id is None
    assert [(it.dimension, it.evidence) for it in found.present] == [("sustainability", ()), ("giving", ())]
    assert lines_of(asked(model)[0], "wishes") == ["I want gifts that are eco-friendly"]
    assert "<history>\n" not in last_words(asked(model)[0])


def test_facts_about_the_person_are_given_where_there_are_any() -> None:
    model = scripted(lambda _: answer(("safety", 2, ["H1"])))
    known = UserContext("u", (Review("soap", START),), metadata={"age": "34", "region": "north"})
    ProfileExtractor(model, ITEMS, reflects=False).extract([known, context("soap")])
    assert lines_of(asked(model)[0], "person") == ["age: 34; region: north"]
    assert "<person>\n" not in last_words(asked(model)[1])


def test_a_second_question_may_change_the_profile_and_what_it_changes_is_counted() -> None:
    def script(prompt: Prompt) -> str:
        if not last_words(prompt).startswith("You previously inferred"):
            return answer(("safety", 2, ["H1"]), ("value", 1, ["H1"]))
        shown = prompt.messages[1].content
        if "Kite" in shown:
            return "no"
        return answer(
            ("safety", 3 if "Pen" in shown else 2, ["H1"]), ("novelty" if "Pen" in shown else "value", 1, ["H1"])
        )

    extractor = ProfileExtractor(scripted(script), ITEMS)
    found = extractor.extract([context(it, user_id=it) for it in ("pen", "kite", "soap")])
    pen, kite, soap = (default_schema().strengths(it) for it in found if it is not None)
    keys = default_schema().keys
    assert {key for key, strength in zip(keys, pen, strict=True) if strength} == {"safety", "novelty"}
    assert kite == soap
    effect = extractor.reflection
    assert (effect.asked, effect.refused, effect.changed, effect.dropped, effect.added) == (3, 1, 1, 1, 1)
    assert extractor.failures == {"form": 1}
    second = asked(extractor.model)[3]
    assert [it.role for it in second.messages] == ["system", "user", "assistant", "user"]


def test_only_what_was_read_is_asked_about_again() -> None:
    model = scripted(["no", answer(("safety", 2, ["H1"])), answer(("safety", 2, ["H1"]))])
    found = ProfileExtractor(model, ITEMS).extract([context("pen", user_id="a"), context("soap", user_id="b")])
    assert found[0] is None
    assert found[1] is not None
    assert len(asked(model)) == 3


def test_the_newest_part_of_a_long_history_is_shown() -> None:
    model = scripted(lambda _: answer(("safety", 2, ["H1"])))
    (found,) = ProfileExtractor(model, ITEMS, max_history=2, reflects=False).extract([context("soap", "pen", "kite")])
    assert [line[:8] for line in lines_of(asked(model)[0], "history")] == ["H1. Pen,", "H2. Kite"]
    assert found is not None
    assert found.motivations[0].evidence == ("pen",)


def test_a_prompt_that_is_too_long_loses_its_oldest_items() -> None:
    sampling = SamplingConfig(max_tokens=10)
    whole = scripted(lambda _: answer(("safety", 2, ["H1"])))
    ProfileExtractor(whole, ITEMS, reflects=False).extract([context("soap", "pen", "kite")])
    (length,) = whole.backend.count_tokens(asked(whole))

    cramped = scripted(lambda _: answer(("safety", 2, ["H1"])), context_tokens=length + 9)
    extractor = ProfileExtractor(cramped, ITEMS, reflects=False, sampling=sampling)
    (found,) = extractor.extract([context("soap", "pen", "kite")])
    assert found is None or found.motivations[0].evidence == ("pen",)
    assert [line[:8] for line in lines_of(asked(cramped)[0], "history")] == ["H1. Pen,", "H2. Kite"]

    tiny = ProfileExtractor(scripted([], context_tokens=40), ITEMS, reflects=False, sampling=sampling)
    with pytest.raises(
        PromptTooLongError, match="user 'u': expected a prompt of at most 30 tokens, got more even with"
    ):
        tiny.extract([context("soap", "pen")])


def test_an_item_outside_the_catalogue_is_named() -> None:
    with pytest.raises(UnknownIdError, match="expected an item of the catalogue, got 'ghost'"):
        ProfileExtractor(scripted([]), ITEMS).extract([context("ghost")])


def test_coherence_compares_profiles_of_single_interactions() -> None:
    """Cosines of (3, 0), (3, 0), (0, 2): 1, 0, 0; their mean is 1/3."""
    schema = default_schema()
    alike, other = profile(("value", 3)), profile(("safety", 2))
    assert profile_coherence([alike, alike, other], schema=schema) == pytest.approx(1 / 3)
    assert profile_coherence([alike, None, alike], schema=schema) == pytest.approx(1)
    assert math.isnan(profile_coherence([alike, None], schema=schema))
    assert math.isnan(profile_coherence([], schema=schema))

    def script(prompt: Prompt) -> str:
        (line,) = lines_of(prompt, "history")
        return answer(("value" if "Pen" in line else "safety", 2, ["H1"]))

    extractor = ProfileExtractor(scripted(script), ITEMS)
    first, second = extractor.coherence([context("soap", "soap", "pen"), context("pen", user_id="w")])
    assert first == pytest.approx(1 / 3)
    assert math.isnan(second)
    assert len(asked(extractor.model)) == 2  # the same question is asked once
