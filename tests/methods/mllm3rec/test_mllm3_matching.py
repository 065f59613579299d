"""Lists from a language model: no favoured places, repairs that are counted, rationales that demote, costs by role."""

import json
import re
from collections.abc import Callable, Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mllm3_shop import ITEMS, answer, asked, context, last_words, lines_of, profile, scripted

from whyrec.errors import InvalidConfigError, InvalidDataError
from whyrec.llm.base import Prompt
from whyrec.llm.usage import Price
from whyrec.methods.mllm3rec.artefacts import ItemTraits
from whyrec.methods.mllm3rec.matching import Candidate, ListwiseMatcher, Matching, MatchingTask, candidate_labels
from whyrec.methods.mllm3rec.motivations import ProfileExtractor
from whyrec.methods.mllm3rec.position_bias import hit_rate_by_input_position, mean_rank_by_input_position
from whyrec.methods.mllm3rec.prompts import Exemplar, profile_side
from whyrec.methods.mllm3rec.rationales import RationaleTask, RationaleWriter, demote
from whyrec.methods.mllm3rec.roles import Models
from whyrec.methods.mllm3rec.scoring import PointwiseMatcher

N = 30
ITEM_IDS = [f"i{n:02d}" for n in range(N)]
USER = profile_side(profile(("value", 2)))


def task(user_id: str = "u", *, item_ids: list[str] = ITEM_IDS) -> MatchingTask:
    return MatchingTask(user_id, USER, tuple(Candidate(it, f"quality {int(it[1:])}") for it in item_ids))


def shown(prompt: Prompt) -> dict[str, int]:
    """The quality that stands at each label, in the order of the prompt."""
    found = (re.fullmatch(r"(C\d+)\. quality (\d+)", line) for line in lines_of(prompt, "candidates"))
    return {it[1]: int(it[2]) for it in found if it is not None}


def ranking(labels: list[str]) -> str:
    return json.dumps({"ranking": labels})


def as_shown(prompt: Prompt) -> str:
    return ranking(list(shown(prompt)))


def by_quality(prompt: Prompt) -> str:
    stands = shown(prompt)
    return ranking(sorted(stands, key=lambda label: -stands[label]))


def matched(script: Callable[[Prompt], str], *tasks: MatchingTask, **settings: int) -> list[Matching]:
    return ListwiseMatcher(scripted(script), **settings).match(tasks)


def hit_rate(matchings: list[Matching], positive: str, *, k: int) -> float:
    return float(np.mean([positive in it.item_ids[:k] for it in matchings]))


def test_labels_are_opaque_and_equally_long() -> None:
    assert candidate_labels(30)[0::29] == ["C01", "C30"]
    assert candidate_labels(100)[0::99] == ["C001", "C100"]
    model = scripted(by_quality)
    ListwiseMatcher(model).match([task()])
    assert not any(item_id in last_words(prompt) for prompt in asked(model) for item_id in ITEM_IDS)


def test_a_model_that_reads_gets_its_list_whatever_the_places() -> None:
    (found,) = matched(by_quality, task())
    assert list(found.item_ids) == ITEM_IDS[::-1]
    assert found.scores == tuple(-float(rank) for rank in range(1, N + 1))
    assert len(found.orderings) == 3
    assert len({ordering.shown for ordering in found.orderings}) == 3


@settings(max_examples=15)
@given(order=st.permutations(ITEM_IDS))
def test_the_order_of_the_candidates_changes_nothing(order: list[str]) -> None:
    for script in (by_quality, as_shown):
        assert matched(script, task(item_ids=order)) == matched(script, task())


def test_a_constant_model_scores_exactly_chance_over_positions() -> None:
    """It gives labels back as they stand. One permutation: whoever is the positive, 5 of 30 places hit: 5/30."""
    (one,) = matched(as_shown, task(), n_permutations=1)
    assert one.item_ids == one.orderings[0].shown
    assert np.mean([hit_rate([one], positive, k=5) for positive in ITEM_IDS]) == 5 / N
    assert np.mean([hit_rate([one], positive, k=10) for positive in ITEM_IDS]) == 10 / N


@pytest.mark.parametrize("n_permutations", [1, 3])
def test_a_constant_model_gives_one_positive_no_better_than_chance(n_permutations: int) -> None:
    """300 users: 1/6 plus or minus 4 * sqrt(1/6 * 5/6 / 300) = .086, whatever the number of permutations."""
    tasks = [task(f"u{n}") for n in range(300)]
    found = matched(as_shown, *tasks, n_permutations=n_permutations)
    for positive in (ITEM_IDS[0], ITEM_IDS[-1]):
        assert abs(hit_rate(found, positive, k=5) - 1 / 6) < 0.086


def test_the_hit_rate_by_place_is_flat_for_a_model_that_reads_and_steep_for_one_that_does_not() -> None:
    tasks = [task(f"u{n}") for n in range(120)]
    positives = {it.user_id: "i29" for it in tasks}
    reads, copies = matched(by_quality, *tasks), matched(as_shown, *tasks)
    flat = hit_rate_by_input_position(reads, positives, k=5)
    assert flat["n"].sum() == 3 * 120
    assert flat["position"].to_list() == list(range(1, N + 1))
    assert set(flat["hit_rate"]) == {1.0}
    steep = hit_rate_by_input_position(copies, positives, k=5)
    assert steep["hit_rate"].to_list() == [1.0] * 5 + [0.0] * 25
    assert mean_rank_by_input_position(copies)["mean_rank"].to_list() == list(range(1, N + 1))
    spread = mean_rank_by_input_position(reads)
    # A uniform rank has a standard deviation of 8.66; 360 of them have a mean within 4 * 8.66 / sqrt(360) = 1.83.
    assert (spread["mean_rank"] - (N + 1) / 2).abs().max() < 1.83


def test_thirty_labels_with_doubles_and_gaps_are_completed_in_an_order_that_favours_nothing() -> None:
    def half(prompt: Prompt) -> str:
        return ranking(["C07", "C07", "C99", *list(shown(prompt))[:4]])

    matcher = ListwiseMatcher(scripted(half), n_permutations=1)
    found = matcher.match([task(f"u{n}") for n in range(50)])
    assert all(sorted(it.item_ids) == ITEM_IDS for it in found)
    # C07 and C01 to C04 were said; 25 labels were missing in each answer, one stood twice, one was none.
    assert matcher.repairs == {"answers": 50, "repeated": 50, "unknown": 50, "missing": 25 * 50}
    places = [it.orderings[0].shown.index(it.item_ids[-1]) for it in found]
    assert len(set(places)) > 10
    assert np.corrcoef([it.orderings[0].shown.index(it.item_ids[20]) for it in found], places)[0, 1] < 0.9
    assert matcher.match([task("u0")]) == [found[0]]


def test_an_order_that_cannot_be_read_is_left_out() -> None:
    texts = iter(["no", None, None])
    (found,) = matched(lambda prompt: next(texts) or by_quality(prompt), task())
    assert list(found.item_ids) == ITEM_IDS[::-1]
    assert [ordering.ranked is None for ordering in found.orderings] == [True, False, False]


def test_without_any_order_all_candidates_are_equal_and_stand_as_they_were_shuffled() -> None:
    matcher = ListwiseMatcher(scripted(lambda _: "I cannot."))
    (found,) = matcher.match([task()])
    assert not found.is_ranked
    assert set(found.scores) == {0.0}
    assert found.item_ids == found.orderings[0].shown != tuple(ITEM_IDS)
    assert matcher.failures == {"form": 3}


def test_lists_of_different_lengths_go_together() -> None:
    found = matched(by_quality, task("a", item_ids=ITEM_IDS[:3]), task("b"), task("c", item_ids=ITEM_IDS[4:7]))
    assert [it.user_id for it in found] == ["a", "b", "c"]
    assert found[0].item_ids == ("i02", "i01", "i00")
    assert found[2].item_ids == ("i06", "i05", "i04")


def test_tasks_and_settings_that_are_none() -> None:
    with pytest.raises(InvalidDataError, match="user 'u': expected candidates, got none"):
        MatchingTask("u", USER, ())
    with pytest.raises(InvalidDataError, match="user 'u': expected each candidate once, got 'i01' twice"):
        task(item_ids=["i01", "i02", "i01"])
    with pytest.raises(InvalidConfigError, match="expected n_permutations of at least 1, got 0"):
        ListwiseMatcher(scripted([]), n_permutations=0)
    for matcher in (ListwiseMatcher, PointwiseMatcher):
        with pytest.raises(InvalidConfigError, match="expected training users alone, got user 'u'"):
            matcher(scripted([]), exemplars=(Exemplar("q", "a", "u"),)).match([task()])


def test_temperature_is_zero_wherever_a_list_comes_from() -> None:
    assert ListwiseMatcher(scripted([])).sampling.temperature == 0
    assert PointwiseMatcher(scripted([])).sampling.temperature == 0


def test_candidates_scored_one_by_one() -> None:
    def script(prompt: Prompt) -> str:
        quality = int(lines_of(prompt, "item")[0].split()[1])
        return "no" if quality in (3, 4) else json.dumps({"score": min(quality, 6) * 10})

    matcher = PointwiseMatcher(scripted(script))
    (found,) = matcher.match([task(item_ids=ITEM_IDS[:8])])
    assert found.item_ids[0] in ("i06", "i07")
    assert found.item_ids[2:6] == ("i05", "i02", "i01", "i00")
    assert set(found.item_ids[6:]) == {"i03", "i04"}
    assert found.scores == (60.0, 60.0, 50.0, 20.0, 10.0, 0.0, -1.0, -1.0)
    assert matcher.failures == {"form": 2}
    assert PointwiseMatcher(scripted(script)).match([task(item_ids=ITEM_IDS[7::-1])]) == [found]


TRAITS: Mapping[str, ItemTraits] = {it: ItemTraits(it, (f"good for {it}", "cheap"), "test") for it in ITEM_IDS}


def reasons(prompt: Prompt) -> str:
    """Cite the first trait; demote i29 and i27, say nothing usable of i28."""
    (first, *_) = lines_of(prompt, "traits")
    if "<rationale>\n" in last_words(prompt):
        return json.dumps({"verdict": "demote" if first.endswith(("i29", "i27")) else "keep"})
    trait = "T9" if first.endswith("i28") else "T1"
    return json.dumps({"motivation": "value", "trait": trait, "sentence": "It serves you."})


def test_items_whose_rationale_does_not_hold_go_to_the_end() -> None:
    (found,) = matched(by_quality, task())
    writer = RationaleWriter(scripted(reasons))
    (after,), why = writer.reconsider([found], profiles={"u": profile(("value", 2))}, traits=TRAITS, k=4)
    assert after.item_ids == ("i28", "i26", *ITEM_IDS[25::-1], "i29", "i27")
    assert list(after.scores) == sorted(after.scores, reverse=True)
    assert set(why) == {("u", "i29"), ("u", "i27"), ("u", "i26")}
    assert why["u", "i26"].trait == "good for i26"
    assert why["u", "i26"].dimension == "value"
    assert writer.failures == {"trait": 1}
    effect = writer.effect
    assert (effect.checked, effect.demoted, effect.lists, effect.lists_changed) == (3, 2, 1, 1)


def test_what_cannot_be_checked_stays() -> None:
    writer = RationaleWriter(scripted(lambda prompt: "?" if "<rationale>\n" in last_words(prompt) else reasons(prompt)))
    (found,) = matched(by_quality, task())
    (after,), why = writer.reconsider([found], profiles={"u": profile(("value", 2))}, traits=TRAITS, k=1)
    assert after == found
    assert set(why) == {("u", "i29")}
    assert writer.failures == {"no verdict: form": 1}
    # Nobody to cite for, nothing to cite.
    assert writer.reconsider([found], profiles={}, traits=TRAITS, k=3) == ([found], {})
    assert writer.reconsider([found], profiles={"u": profile(("value", 2))}, traits={}, k=3) == ([found], {})
    empty = RationaleTask(profile(("value", 0)), TRAITS["i01"])
    assert writer.write([empty]) == [None]
    assert writer.failures["nothing to cite"] == 1


@given(is_kept=st.lists(st.booleans(), min_size=5, max_size=5))
def test_demotion_keeps_both_orders_and_all_items(is_kept: list[bool]) -> None:
    before = Matching("u", tuple("abcde"), (3.0, 2.0, 2.0, -1.0, -1.0), "m")
    after = demote(before, is_kept)
    kept = [it for it, keep in zip("abcde", is_kept, strict=True) if keep]
    assert list(after.item_ids) == kept + [it for it in "abcde" if it not in kept]
    assert list(after.scores) == sorted(after.scores, reverse=True)
    if 0 < len(kept) < 5:
        assert after.scores[len(kept) - 1] > after.scores[len(kept)]


def test_costs_are_told_by_role_and_user() -> None:
    cheap = scripted([answer(("value", 2, ["H1"]))] * 2, name="cheap", price=Price(1.0, 2.0))
    strong = scripted(by_quality, name="strong", price=Price(10.0, 20.0))
    models = Models(cheap, strong)
    ProfileExtractor(models.extractor, ITEMS).extract([context("soap")])
    ListwiseMatcher(models.ranker, n_permutations=1).match([task("a"), task("b")])
    usage = models.usage(n_users=2)
    assert usage["role"].to_list() == ["extractor", "ranker"]
    assert usage["asked"].to_list() == [2, 2]
    expected = [
        (it.prompt_tokens * price + it.completion_tokens * 2 * price) / 1e6
        for it, price in ((cheap.usage, 1), (strong.usage, 10))
    ]
    assert usage["cost_per_user"].to_list() == pytest.approx([cost / 2 for cost in expected])
    assert usage["tokens_per_user"][1] == (strong.usage.prompt_tokens + strong.usage.completion_tokens) / 2
    assert models.summary(n_users=2).splitlines()[1].startswith("ranker, strong: 2 asked")
    with pytest.raises(InvalidConfigError, match="expected n_users of at least 1, got 0"):
        models.usage(n_users=0)


def test_one_model_in_both_roles_is_counted_once_and_an_unknown_price_is_no_price() -> None:
    model = scripted(by_quality)
    ListwiseMatcher(model).match([task()])
    usage = Models.one(model).usage(n_users=1)
    assert usage["role"].to_list() == ["extractor and ranker"]
    assert usage["cost_per_user"].to_list() == [None]
    assert "cost unknown" in Models.one(model).summary(n_users=1)
