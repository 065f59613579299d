"""Traits from a language model: which phrases stay, what becomes of bad answers, and one name for each."""

import json
from collections.abc import Sequence
from random import Random

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mllm3_shop import ITEMS, asked, last_words, scripted
from numpy.typing import NDArray

from whyrec.errors import InvalidConfigError, UnknownIdError
from whyrec.llm.base import Prompt
from whyrec.methods.mllm3rec.artefacts import ItemTraits
from whyrec.methods.mllm3rec.trait_contrasts import contrasts_in
from whyrec.methods.mllm3rec.trait_rules import Brands, clean_traits
from whyrec.methods.mllm3rec.trait_vocabulary import TraitVocabulary
from whyrec.methods.mllm3rec.traits import TraitExtractor, candidate_text, trait_exemplar

CATALOGUE = pl.DataFrame(
    {"item_id": ["soap", "pen", "kite"], "title": ["Oat Soap", "Pen", "Kite"], "brand": ["Acme", " Gentle ", None]}
)
BRANDS = Brands.of(CATALOGUE)


def said(*traits: str) -> str:
    return json.dumps({"traits": list(traits)})


def traits(item_id: str, *phrases: str) -> ItemTraits:
    return ItemTraits(item_id, phrases, "test")


@pytest.mark.parametrize(
    ("phrase", "fault"),
    [
        ("gentle on sensitive skin", None),
        ("Gentle on sensitive skin", None),
        ("free of parabens", None),
        ("good for 2 or more players", None),
        ("easy to clean.", None),
        ("fast as Acme", "brand"),
        ("acme quality", "brand"),
        ("made by ACME", "brand"),
        ("soft like Gentle ones", "brand"),
        ("acmeology for all", None),
        ("costs only $5", "price"),
        ("under ten dollars", "price"),
        ("low-priced for students", "price"),
        ("a 50 ml bottle", "measure"),
        ("12-pack for classes", "measure"),
        ("3.4oz travel bottle", "measure"),
        ("holds 1,000 sheets", "measure"),
        ("SPF 30 sun protection", "measure"),
        ('fits 15" screens', "measure"),
        ("pack of 6", "measure"),
        ("one two three four five six seven", "long"),
        ("12", "empty"),
        (" - ", "empty"),
        ("half a \ud800 character", "empty"),
    ],
)
def test_what_may_be_a_trait_of_the_soap(phrase: str, fault: str | None) -> None:
    cleaned = clean_traits([phrase], item_id="soap", brands=BRANDS)
    assert dict(cleaned.dropped) == ({} if fault is None else {fault: 1})
    assert len(cleaned.kept) == (fault is None)


def test_phrases_are_trimmed_and_stand_once() -> None:
    cleaned = clean_traits(["- Easy to  clean.", "easy to clean", "soft"], item_id="kite", brands=Brands.none())
    assert cleaned.kept == ("Easy to clean", "soft")
    assert cleaned.dropped == {"repeated": 1}


def test_a_catalogue_that_does_not_name_makers_has_no_brands() -> None:
    assert Brands.of(CATALOGUE.drop("brand")) == Brands.none()
    assert Brands.of(CATALOGUE.rename({"brand": "maker"})).all == {"Acme", "Gentle"}
    assert BRANDS.of_item == {"soap": "acme", "pen": "gentle"}


def test_offending_phrases_are_dropped_and_counted_and_failures_leave_an_item_out() -> None:
    answers = {
        "Oat Soap": said("mild to skin", "smells of Acme", "only $3", "200 ml", "Mild to skin"),
        "Pen": said("for a $", "2 oz", "3 euros"),
        "Kite": "fun!",
    }

    def script(prompt: Prompt) -> str:
        return next(text for title, text in answers.items() if f"\n{title}" in last_words(prompt))

    extractor = TraitExtractor(scripted(script), ITEMS, brands=BRANDS)
    found = extractor.extract(["kite", "soap", "mute", "pen", "soap"])
    assert found == {"soap": ItemTraits("soap", ("mild to skin",), "scripted")}
    assert extractor.dropped == {"brand": 1, "price": 3, "measure": 2, "repeated": 1}
    assert extractor.failures == {"no text": 1, "form": 1, "nothing left": 1}
    assert len(asked(extractor.model)) == 3
    with pytest.raises(UnknownIdError, match="expected an item of the catalogue, got 'ghost'"):
        extractor.extract(["ghost"])


def test_an_empty_list_of_traits_is_a_failure_and_the_description_stands_in() -> None:
    extractor = TraitExtractor(scripted([said()]), ITEMS)
    found = extractor.extract(["kite"])
    assert found == {}
    assert extractor.failures["form"] == 1
    assert candidate_text("kite", found, items=ITEMS) == "Kite | description: fun in the wind"
    assert candidate_text("kite", {"kite": traits("kite", "fun", "<b>")}, items=ITEMS) == "fun; ‹b›"


def test_exemplars_stand_before_the_question() -> None:
    exemplar = trait_exemplar(traits("kite", "fun outdoors", "for families", "easy to carry"), items=ITEMS)
    extractor = TraitExtractor(scripted([said("a", "b", "c")]), ITEMS, exemplars=(exemplar,))
    extractor.extract(["pen"])
    contents = [message.content for message in asked(extractor.model)[0].messages]
    assert contents[1].startswith("<item>\nKite")
    assert contents[2] == said("fun outdoors", "for families", "easy to carry")
    assert contents[3].startswith("<item>\nPen")


class Compass:
    """Embeds a phrase as the direction given for its first letter, in degrees."""

    def __init__(self, **degrees: float) -> None:
        self.degrees = degrees

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        angles = np.radians([self.degrees[text[0]] for text in texts])
        return np.stack([2 * np.cos(angles), 2 * np.sin(angles)], axis=1).astype(np.float32)


def test_the_most_frequent_phrase_names_those_that_are_alike() -> None:
    """At 10 degrees the cosine is .985, at 20 .940, at 60 .5."""
    items = [traits("1", "apt", "bold"), traits("2", "Bold", "calm"), traits("3", "bold", "dry")]
    names = TraitVocabulary.of(items, encoder=Compass(a=0, b=10, c=20, d=70), alike=0.97)
    assert names.name_of == {"bold": "bold", "apt": "bold", "calm": "bold", "dry": "dry"}
    assert names.names == ["bold", "dry"]
    assert names.renamed(traits("4", "APT", "calm", "Elegant")).traits == ("bold", "elegant")
    # "apt" and "calm" are both near "bold" but not near each other; without it they are two traits.
    apart = TraitVocabulary.of([traits("1", "apt", "calm")], encoder=Compass(a=0, c=20), alike=0.97)
    assert apart.names == ["apt", "calm"]


def test_the_nearest_name_is_taken_and_nothing_is_alike_above_one() -> None:
    items = [traits("1", "apt", "calm"), traits("2", "apt", "calm"), traits("3", "bold")]
    compass = Compass(a=0, b=14, c=20)
    assert TraitVocabulary.of(items, encoder=compass, alike=0.96).name("bold") == "calm"
    assert len(TraitVocabulary.of(items, encoder=compass, alike=1.01).names) == 3
    assert TraitVocabulary.of([], encoder=compass).names == []
    with pytest.raises(InvalidConfigError, match="expected alike above 0, got 0"):
        TraitVocabulary.of(items, encoder=compass, alike=0)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("great for men", "great for women"),
        ("good for boys", "good for girls"),
        ("suitable for children", "not suitable for children"),
        ("fragrance-free lotion", "fragrance lotion"),
        ("for indoor use", "for outdoor use"),
        ("moisturizes dry skin", "moisturizes dry hair"),
        ("Adds volume to hair", "removes volume from hair"),
        ("light hold", "strong hold"),
    ],
)
def test_phrases_that_only_sound_alike_stay_apart(one: str, other: str) -> None:
    class Deaf:
        def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
            return np.ones((len(texts), 2), dtype=np.float32)

    assert contrasts_in(one) != contrasts_in(other)
    assert len(TraitVocabulary.of([traits("1", one, other)], encoder=Deaf()).names) == 2
    # Any two others sound alike to the deaf.
    assert len(TraitVocabulary.of([traits("1", "easy", "simple")], encoder=Deaf()).names) == 1


def test_words_that_mean_the_same_do_not_contrast() -> None:
    assert contrasts_in("Good for kids") == contrasts_in("for every child") == {"child"}
    assert contrasts_in("a gift for boys") == {"child", "male"}
    assert contrasts_in("easy to clean") == contrasts_in("notes") == frozenset()


phrase_lists = st.lists(
    st.lists(st.text("wxyz", min_size=1, max_size=3), min_size=1, max_size=4, unique=True), min_size=1, max_size=12
)


@settings(max_examples=40)
@given(phrases=phrase_lists, alike=st.floats(0.5, 1), order=st.randoms(use_true_random=False))
def test_names_are_their_own_names_and_do_not_depend_on_the_order(
    phrases: list[list[str]], alike: float, order: Random
) -> None:
    items = [traits(str(place), *some) for place, some in enumerate(phrases)]
    compass = Compass(w=0, x=15, y=40, z=90)
    found = TraitVocabulary.of(items, encoder=compass, alike=alike)
    assert all(found.name(name) == name for name in found.names)
    vectors = compass.embed(found.names) / 2
    cosines = vectors @ vectors.T - 2 * np.eye(len(vectors))
    assert cosines.max(initial=-1) < alike + 1e-6
    order.shuffle(items)
    assert TraitVocabulary.of(items, encoder=compass, alike=alike).name_of == found.name_of


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(0)
    vectors = {f"t{n}": generator.normal(size=4).astype(np.float32) for n in range(60)}

    class Table:
        def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
            return np.stack([vectors[text] for text in texts])

    items = [traits(str(n), f"t{n}", f"t{n // 2}") if n else traits("0", "t0") for n in range(60)]
    whole = TraitVocabulary.of(items, encoder=Table(), alike=0.7)
    assert 5 < len(whole.names) < 55
    monkeypatch.setattr("whyrec.methods.mllm3rec.trait_vocabulary._AT_ONCE", 7)
    assert TraitVocabulary.of(items, encoder=Table(), alike=0.7) == whole
