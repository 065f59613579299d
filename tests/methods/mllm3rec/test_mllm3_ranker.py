"""The offline ranking: its parts, how they are weighed, and items that nobody has taken."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from whyrec.data.schema import TIMESTAMP_TYPE
from whyrec.data.sequences import Sequences
from whyrec.errors import TrainingError
from whyrec.methods.mllm3rec.blending import blend_weights, draw_others, first_is_hit
from whyrec.methods.mllm3rec.config import RankerConfig, TextHeadConfig
from whyrec.methods.mllm3rec.item_words import ItemWords
from whyrec.methods.mllm3rec.ranker import PARTS, ItemContents, OfflineRanker, case_parts
from whyrec.methods.mllm3rec.taken_together import Crowd
from whyrec.methods.mllm3rec.text_head import pooled_points, train_text_head
from whyrec.methods.mllm3rec.text_space import TextSpace, unit_rows
from whyrec.methods.mllm3rec.timed_log import TimedLog

N_ITEMS, D = 40, 8
CONFIG = RankerConfig(
    head=TextHeadConfig(rank=4, epochs=3, batch_size=64, n_negatives=20), dimensions=D, earlier_cases=100
)


def log_of(rows: list[list[int]], *, times: list[list[int]] | None = None) -> TimedLog:
    """Users' items, numbers from 1; a day apart unless told."""
    days = times or [list(range(len(row))) for row in rows]
    n_before = [sum(other < day for other in mine) for mine in days for day in mine]
    flat = [day * 86_400_000_000 for mine in days for day in mine]
    return TimedLog(Sequences.of(rows), np.array(n_before), np.array(flat))


def two_camps(*, seed: int = 0, n_users: int = 120) -> tuple[TimedLog, np.ndarray]:
    """Users who take items of one half of the catalogue, whose texts point one way."""
    rng = np.random.default_rng(seed)
    rows = [(rng.permutation(N_ITEMS // 2)[:6] + 1 + (user % 2) * N_ITEMS // 2).tolist() for user in range(n_users)]
    side = np.where(np.arange(N_ITEMS) < N_ITEMS // 2, 1.0, -1.0)
    points = rng.normal(size=(N_ITEMS, D)) + 2 * side[:, None] * np.eye(D)[0]
    return log_of(rows), unit_rows(points.astype(np.float32))


def contents_of(points: np.ndarray, motives: np.ndarray | None = None, texts: list[str] | None = None) -> ItemContents:
    """A catalogue whose texts share no word unless told."""
    served = np.zeros((len(points), 1), dtype=np.float32) if motives is None else motives
    return ItemContents(points, ItemWords.of(texts or [f"word{n}" for n in range(len(points))]), served)


def new_ones(ranker: OfflineRanker, points: np.ndarray) -> ItemContents:
    words = ranker.stage.contents.words
    rows = words.rows(["new"] * len(points))
    return ItemContents(points, words.of_rows(rows), np.zeros((len(points), 1), dtype=np.float32))


def test_a_log_knows_what_was_strictly_earlier() -> None:
    frame = pl.DataFrame(
        {"user_id": ["u", "u", "u", "v"], "item_id": ["b", "a", "c", "a"], "timestamp": [5, 5, 9, 1]},
        schema_overrides={"timestamp": pl.Int64},
    ).with_columns(pl.from_epoch("timestamp", time_unit="s").dt.replace_time_zone("UTC").cast(TIMESTAMP_TYPE))
    log = TimedLog.read(frame.lazy(), item_ids=pl.Series("item_id", ["a", "b", "c"]))
    assert log.sequences.row(0).tolist() == [1, 2, 3]
    assert log.n_before.tolist() == [0, 0, 2, 0]
    assert log.asked.tolist() == [2]
    assert log.last().tolist() == [2], "v has nothing before its last"
    assert log.prefixes(log.asked, newest=3).tolist() == [[0, 1, 2]]
    assert log.prefixes(log.asked, newest=1).tolist() == [[2]]
    without = log.without(log.last())
    assert without.sequences.row(0).tolist() == [1, 2]
    assert without.sequences.row(1).tolist() == [1]


def test_the_space_takes_the_common_part_away() -> None:
    rng = np.random.default_rng(0)
    own = rng.normal(size=(50, 3)) @ rng.normal(size=(3, 20))
    vectors = (own + 100).astype(np.float32)
    space = TextSpace.of(vectors, dimensions=3)
    placed = space.place(vectors)
    centred = own - own.mean(axis=0)
    cosine = centred @ centred.T / np.outer(*[np.linalg.norm(centred, axis=1)] * 2)
    assert placed @ placed.T == pytest.approx(cosine, abs=1e-3)
    assert space.place(space.mean[None]).tolist() == [[0.0, 0.0, 0.0]]


def test_a_history_is_pooled_by_its_newest() -> None:
    points = np.eye(3, dtype=np.float32)
    pooled = pooled_points(np.array([[0, 1, 2]]), points, half_life=1.0)
    # Item 2 counts 1, item 1 half of that.
    assert pooled[0, :3] == pytest.approx(np.array([0.5, 1.0, 0.0]) / np.sqrt(1.25))
    assert pooled[0, 3:].tolist() == [0.0, 1.0, 0.0]


def test_the_head_learns_which_texts_follow() -> None:
    """Whoever had one of the first half takes the item after it next: nearness cannot know."""
    rng = np.random.default_rng(0)
    points = unit_rows(rng.normal(size=(N_ITEMS, D)).astype(np.float32))
    rows = [[start, (start + 19) % N_ITEMS + 1] for start in range(1, N_ITEMS + 1) for _ in range(20)]
    config = TextHeadConfig(rank=D, epochs=40, batch_size=64, n_negatives=40, learning_rate=1e-2)
    head = train_text_head(log_of(rows), points, config=config)
    ranks = []
    for start in range(N_ITEMS):
        pooled = pooled_points(np.array([[start + 1]]), points, half_life=5.0)[0]
        scores = points @ (head.query(pooled) + head.linear)
        ranks.append(int((scores > scores[(start + 19 + 1) % N_ITEMS]).sum()))
    assert np.mean(np.array(ranks) < 5) > 0.6, "chance has 5 of 40"


def test_a_loss_that_is_no_number_is_refused() -> None:
    log, points = two_camps(n_users=4)
    with pytest.raises(TrainingError, match="text head: expected a finite loss, got nan"):
        train_text_head(log, points * np.float32(np.nan), config=TextHeadConfig(epochs=1))


def test_shared_words_by_hand() -> None:
    words = ItemWords.of(["red lamp", "Red Red sofa", "blue sofa", "alone"])
    assert words.vocabulary == ("red", "sofa"), "words of one item alone are shared by none"
    idf = np.log(4 / 2) + 1
    second = np.array([(1 + np.log(2)) * idf, idf])
    assert words.by_item.toarray()[1] == pytest.approx(second / np.linalg.norm(second))
    query = words.asked(np.array([0, 2]), np.array([0.5, 1.0], dtype=np.float32))
    assert query == pytest.approx(np.array([0.5, 1.0]) / np.sqrt(1.25))
    assert words.shared(query) == pytest.approx(words.by_item.toarray() @ query)
    assert words.asked(np.array([3]), np.ones(1, dtype=np.float32)).tolist() == [0.0, 0.0]
    grown = words.grown(words.rows(["a red thing"]), order=np.array([4, 0, 1, 2, 3]))
    assert grown.by_item.toarray()[0].tolist() == [1.0, 0.0]
    assert grown.shared(query)[1:] == pytest.approx(words.shared(query))


def test_what_was_taken_together_by_hand() -> None:
    log = log_of([[1, 2], [1, 2], [1, 3]])
    crowd = Crowd.of(log, n_items=4, recent_days=1, shrinkage=0.0, half_life=1.0, newest=10)
    dense = crowd.together.toarray()
    assert dense[0, 1] == pytest.approx(2 / np.sqrt(3 * 2))
    assert dense[0, 2] == pytest.approx(1 / np.sqrt(3 * 1))
    assert dense[1, 2] == 0
    assert np.diag(dense).tolist() == [0.0] * 4
    assert crowd.ever == pytest.approx(np.log1p([3, 2, 1, 0]))
    # All second items came on the last day.
    assert crowd.recent == pytest.approx(np.log1p([0, 2, 1, 0]))
    assert crowd.is_known.tolist() == [True, True, True, False]
    votes = crowd.votes(np.array([2, 1]))
    assert votes[0] == pytest.approx(np.log1p(100 * (0.5 * dense[2, 0] + dense[1, 0])))
    assert votes[3] == 0


@given(seed=st.integers(0, 5))
def test_weights_find_the_part_that_tells(seed: int) -> None:
    rng = np.random.default_rng(seed)
    parts = rng.normal(size=(400, 10, 3))
    parts[..., 2] = 7.0
    parts[:, 0, 0] += 1.5
    weights = blend_weights(parts)
    assert weights[0] == pytest.approx(1.5, abs=0.35), "the difference of means over the variance"
    assert abs(weights[1]) < 0.2
    assert weights[2] == 0.0


def test_hits_of_the_first_by_hand() -> None:
    scores = np.array([[3.0, 2.0, 1.0], [1.0, 2.0, 3.0], [1.0, 1.0, 1.0]])
    assert first_is_hit(scores, k=1).tolist() == pytest.approx([1.0, 0.0, 1 / 3])


def test_others_are_never_what_was_had() -> None:
    had = [np.arange(9), np.array([0])]
    drawn = draw_others(np.random.default_rng(0), n_items=10, had=had, n=50)
    assert set(drawn[0].tolist()) == {9}
    assert 0 not in drawn[1]
    assert draw_others(np.random.default_rng(0), n_items=9, had=had[:1], n=5).shape == (1, 5)


def test_camps_are_told_apart_and_the_same_again() -> None:
    log, points = two_camps()
    ranker = OfflineRanker.fit(log, contents_of(points), config=CONFIG)
    scores = ranker.score(np.array([0, 1, 2]))
    assert set(np.argsort(-scores)[: N_ITEMS // 2].tolist()) == set(range(N_ITEMS // 2))
    again = OfflineRanker.fit(log, contents_of(points), config=CONFIG)
    assert again.score(np.array([0, 1, 2])).tolist() == scores.tolist()


def test_scores_are_their_weighed_parts() -> None:
    log, points = two_camps()
    motives = np.random.default_rng(3).normal(size=(N_ITEMS, 4)).astype(np.float32)
    ranker = OfflineRanker.fit(
        log, contents_of(points, motives), config=CONFIG.model_copy(update={"motivations": "always"})
    )
    history = np.array([3, 25, 7])
    parts = ranker.stage.parts(history, np.arange(N_ITEMS))
    weighed = sum(ranker.weights[name] * parts[name] for name in PARTS)
    assert ranker.score(history) == pytest.approx(weighed, abs=1e-4)
    assert ranker.weights["motivations"] != 0


def test_weights_never_see_what_they_are_weighed_on() -> None:
    """Planted: the last item follows from the first, else nothing tells. Learned with the last items, it would show."""
    rng = np.random.default_rng(0)
    firsts = rng.integers(1, 11, size=400)
    rows = [[first, *(rng.permutation(30)[:3] + 11).tolist(), first + 10] for first in firsts.tolist()]
    points = unit_rows(rng.normal(size=(N_ITEMS, D)).astype(np.float32))
    log, config = log_of(rows), CONFIG.model_copy(update={"earlier_cases": 400})
    ranker = OfflineRanker.fit(log, contents_of(points), config=config)
    leaky = blend_weights(case_parts(ranker.stage, log, log.last(), rng=rng, n_others=20))
    assert leaky[PARTS.index("together")] > 1
    assert abs(ranker.weights["together"]) < leaky[PARTS.index("together")] / 4


def test_items_that_nobody_had_taken_do_not_say_what_the_crowd_is_worth() -> None:
    """Half of the users end with an item of their own: it had no history, which must not count against a history."""
    log, points = two_camps(n_users=200)
    rows = [log.sequences.row(user).tolist() for user in range(200)]
    more = unit_rows(np.concatenate([points, np.random.default_rng(5).normal(size=(100, D)).astype(np.float32)]))
    with_new = [row + ([N_ITEMS + 1 + n // 2] if n % 2 else []) for n, row in enumerate(rows)]
    ranker = OfflineRanker.fit(log_of(with_new), contents_of(more), config=CONFIG)
    assert ranker.weights["together"] > 0


def test_motivations_stay_out_where_they_do_not_help_and_come_in_where_they_do() -> None:
    log, points = two_camps(n_users=300)
    noise = np.random.default_rng(1).normal(size=(N_ITEMS, 10)).astype(np.float32)
    config = CONFIG.model_copy(update={"earlier_cases": 300, "earlier_negatives": 39})
    useless = OfflineRanker.fit(log, contents_of(points, noise), config=config)
    assert useless.test is not None
    assert not useless.test.kept
    assert useless.weights["motivations"] == 0
    # Texts that say nothing, no two items before the last, and motivations that tell the camps apart.
    rng = np.random.default_rng(2)
    bare = unit_rows(rng.normal(size=(N_ITEMS, D)).astype(np.float32))
    rows = [(rng.permutation(20)[:2] + 1 + (user % 2) * 20).tolist() for user in range(300)]
    telling = np.where(np.arange(N_ITEMS) < 20, 1.0, -1.0)[:, None].astype(np.float32)
    useful = OfflineRanker.fit(log_of(rows), contents_of(bare, telling), config=config)
    assert useful.test is not None
    assert useful.test.kept
    assert useful.test.hit_rate.low > 0
    assert useful.weights["motivations"] > 0
    never = OfflineRanker.fit(
        log_of(rows), contents_of(bare, telling), config=config.model_copy(update={"motivations": "never"})
    )
    assert never.weights["motivations"] == 0


def test_a_new_item_stands_where_its_text_puts_it() -> None:
    log, points = two_camps()
    ranker = OfflineRanker.fit(log, contents_of(points), config=CONFIG)
    # A twin of item 0 and one of the last item, which nobody has taken.
    twins = points[[0, N_ITEMS - 1]]
    order = np.arange(N_ITEMS + 2)
    grown = ranker.grown(new_ones(ranker, twins), order=order)
    history = np.array([1, 2, 3])
    scores = grown.score(history)
    assert scores[:N_ITEMS].tolist() == pytest.approx(ranker.score(history).tolist())
    near, far = scores[N_ITEMS:]
    assert near > scores[N_ITEMS // 2 : N_ITEMS].max(), "above all of the other camp"
    assert far < near
    # By texts alone, with weights of their own, and the others have the same odds on average either way.
    parts = grown.stage.parts(history, order)
    alone = sum(grown.alone[name] * parts[name] for name in ("text", "nearness", "words"))
    level = np.log(np.exp(scores[:N_ITEMS]).mean()) - np.log(np.exp(alone[:N_ITEMS]).mean())
    assert scores[N_ITEMS:] == pytest.approx(alone[N_ITEMS:] + level, abs=1e-3)
    whole = sum(grown.weights[name] * parts[name] for name in PARTS)
    assert replace(grown, fills_in=False).score(history) == pytest.approx(whole, abs=1e-4), "the ablation"


def test_a_grown_catalogue_keeps_who_is_who() -> None:
    log, points = two_camps()
    ranker = OfflineRanker.fit(log, contents_of(points), config=CONFIG)
    # The new item comes first, all others move one place.
    order = np.array([N_ITEMS, *range(N_ITEMS)])
    grown = ranker.grown(new_ones(ranker, points[:1]), order=order)
    moved = grown.score(np.array([2, 3, 4]))
    assert moved[1:].tolist() == pytest.approx(ranker.score(np.array([1, 2, 3])).tolist())


def test_too_few_cases_to_weigh_by_still_rank() -> None:
    _, points = two_camps()
    ranker = OfflineRanker.fit(log_of([[1]]), contents_of(points), config=CONFIG)
    assert ranker.test is None
    assert np.isfinite(ranker.score(np.array([0]))).all()


def test_what_lifts_an_item_is_named() -> None:
    log, points = two_camps()
    fitted = OfflineRanker.fit(log, contents_of(points), config=CONFIG)
    history = log.sequences.row(0).astype(np.int64) - 1
    popular, taken = replace_weights(fitted, "ever"), replace_weights(fitted, "together")
    by_count = np.argsort(fitted.stage.crowd.ever, kind="stable")
    assert popular.leads(history, by_count[[-1, 0]]) == ["popular", None], "what lies below the mean is not lifted"
    votes = fitted.stage.crowd.votes(history)
    assert taken.leads(history, np.array([votes.argmax()])) == ["together"]
    near = replace_weights(fitted, "nearness")
    nearness = near.stage.parts(history, np.arange(N_ITEMS))["nearness"]
    assert near.leads(history, np.array([nearness.argmax(), nearness.argmin()])) == ["texts", None]
    grown = popular.grown(new_ones(popular, points[:1]), order=np.arange(N_ITEMS + 1))
    assert grown.leads(history, np.array([N_ITEMS])) == ["texts"], "nobody has taken it"


def replace_weights(ranker: OfflineRanker, part: str) -> OfflineRanker:
    """The same with one part alone."""
    return replace(ranker, weights={**dict.fromkeys(PARTS, 0.0), part: 1.0})


def test_the_item_of_a_history_that_votes_most_is_found() -> None:
    log = log_of([[1, 2], [1, 2], [1, 2, 3], [3, 4], [5]])
    crowd = Crowd.of(log, n_items=5, recent_days=30, shrinkage=0.0, half_life=100.0, newest=10)
    assert crowd.nearest(np.array([2, 0]), 1) == 0, "three took items 1 and 2 together, one items 3 and 2"
    assert crowd.nearest(np.array([4]), 1) is None
    assert crowd.nearest(np.array([1]), 1) is None, "an item does not speak for itself"
    assert crowd.nearest(np.array([], dtype=np.int64), 1) is None


def test_the_weightiest_word_in_common_is_no_filler() -> None:
    texts = ["about a quiet lake", "about a quiet man", "a lake house", "the house", "a man", "a"]
    words = ItemWords.of([*texts, *texts, *(f"number{n}" for n in range(20))])
    [query] = words.rows(["something about a quiet lake"]).toarray()
    assert words.heaviest_shared(query, 0) in {"quiet", "lake"}
    assert words.heaviest_shared(query, 2) == "lake"
    assert words.heaviest_shared(query, 3) is None
    [filler] = words.rows(["about"]).toarray()
    assert words.heaviest_shared(filler, 0) is None
