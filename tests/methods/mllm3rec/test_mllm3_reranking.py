"""The three modules in a row, on models that answer by a script."""

import json
import re
from datetime import timedelta

import pytest
from mllm3_shop import ITEMS, START, answer, asked, context, last_words, lines_of, scripted, shop
from mllm3_words import WordEncoder

from whyrec.errors import InvalidDataError
from whyrec.interfaces import RECOMMENDATION_SCHEMA
from whyrec.llm.base import Prompt
from whyrec.llm.model import LanguageModel
from whyrec.methods.mllm3rec.config import MLLM3Config, RankerConfig, TextHeadConfig
from whyrec.methods.mllm3rec.model import MLLM3Recommender
from whyrec.methods.mllm3rec.reranking import Reranker
from whyrec.methods.mllm3rec.roles import Models

TRAITS = {"Kite": "fun outdoors", "Soap": "kind to skin", "Pen": "writes for long"}
CANDIDATES = {"u": ["soap", "pen", "kite"]}


def extractor() -> LanguageModel:
    """Says that everybody is after enjoyment, and that the kite is fun and nothing else is."""

    def say(prompt: Prompt) -> str:
        words = last_words(prompt)
        if "<item>" in words:
            trait = next(told for word, told in TRAITS.items() if word in words.split("<item>")[-1])
            return json.dumps({"traits": [trait, "light", "small"]})
        return answer(("enjoyment", 3, ["H1"] if "H1" in words else []))

    return scripted(say)


def ranker(first: str = "fun") -> LanguageModel:
    """Puts what speaks of a word first, the others as they stand."""

    def say(prompt: Prompt) -> str:
        lines = [re.sub(r"\s+", " ", line) for line in last_words(prompt).splitlines() if re.match(r"C\d\d", line)]
        ordered = sorted(lines, key=lambda line: first not in line)
        return json.dumps({"ranking": [line[:3] for line in ordered]})

    return scripted(say)


def test_profiles_and_traits_decide_the_order() -> None:
    models = Models(extractor(), ranker())
    found = Reranker(models, ITEMS).rerank([context("soap")], CANDIDATES)
    assert found.matchings[0].item_ids[0] == "kite"
    assert found.profiles["u"].present[0].dimension == "enjoyment"
    assert found.traits["kite"].traits[0] == "fun outdoors"
    orders = [ordering.shown for ordering in found.matchings[0].orderings]
    assert len(orders) == 3
    assert len(asked(models.ranker)) == len(set(orders)), "one question for each order"
    assert "Oat Soap" not in last_words(asked(models.ranker)[0]), "the ranker reads the profile, not the history"
    lists = found.lists(k=2)
    assert dict(lists.schema) == RECOMMENDATION_SCHEMA
    assert lists["rank"].to_list() == [1, 2]
    assert lists["item_id"][0] == "kite"


def test_without_profiles_and_traits_it_is_the_plain_model() -> None:
    models = Models(extractor(), ranker())
    plain = Reranker(models, ITEMS, with_profiles=False, with_traits=False, n_permutations=1)
    found = plain.rerank([context("soap")], CANDIDATES)
    assert not asked(models.extractor), "nothing is extracted"
    (prompt,) = asked(models.ranker)
    assert "Oat Soap" in lines_of(prompt, "history")[0]
    assert "fun in the wind" in last_words(prompt), "descriptions stand in for traits"
    assert found.profiles == found.traits == {}


def test_own_words_are_read_where_there_is_no_history() -> None:
    models = Models(extractor(), ranker())
    found = Reranker(models, ITEMS, with_profiles=False).rerank([context(stated="fun things")], CANDIDATES)
    assert found.profiles["u"].present[0].dimension == "enjoyment"
    with pytest.raises(InvalidDataError, match="user 'u': expected a history or a stated motivation, got neither"):
        Reranker(models, ITEMS).rerank([context()], CANDIDATES)


def test_an_unreadable_profile_leaves_the_history() -> None:
    models = Models(scripted(lambda _: "no idea"), ranker())
    found = Reranker(models, ITEMS).rerank([context("pen")], CANDIDATES)
    assert not found.profiles
    assert lines_of(asked(models.ranker)[0], "history")[0].startswith("H1")
    assert found.matchings[0].item_ids[0] == "kite"


def test_one_by_one() -> None:
    models = Models(
        extractor(), scripted(lambda prompt: json.dumps({"score": 90 if "fun" in last_words(prompt) else 9}))
    )
    found = Reranker(models, ITEMS, n_permutations=0).rerank([context("soap")], CANDIDATES)
    assert found.matchings[0].item_ids[0] == "kite"


def test_the_top_of_an_offline_list_is_reordered() -> None:
    data = shop()
    small = MLLM3Config(ranker=RankerConfig(head=TextHeadConfig(rank=2, epochs=1), dimensions=4))
    fitted = MLLM3Recommender(small, encoder=WordEncoder()).fit(data, until=START + timedelta(days=10))
    models = Models(extractor(), ranker())
    found = fitted.recommend_with(models, data, user_ids=["v", "nobody"], pool=2, at=START + timedelta(days=2))
    (matching,) = found.matchings
    assert matching.user_id == "v"
    offline = fitted.recommend(data, user_ids=["v"], k=2, at=START + timedelta(days=2))
    assert set(matching.item_ids) == set(offline["item_id"])
    assert all("Oat Soap" not in last_words(it) for it in asked(models.extractor) if "<history>" in last_words(it)), (
        "what was taken later is not read"
    )
