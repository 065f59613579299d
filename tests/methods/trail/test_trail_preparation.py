"""From a dataset to training texts: whom explanations are asked for, what stands beside what, and no future in it."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from small_forecaster import config
from trail_world import START, brute_force_users, day, with_events, world
from tuning_world import FALLING, RISING, sample

from contracts.forecaster import CUTOFF, small_world
from whyrec.data.dataset import Dataset
from whyrec.data.windows import Window
from whyrec.errors import InvalidDataError
from whyrec.methods.trail.backbone import Backbone, from_scratch
from whyrec.methods.trail.config import TrailConfig
from whyrec.methods.trail.encoding import EncodedSample
from whyrec.methods.trail.preparation import (
    Material,
    chosen_for_explanation,
    encoded_sample,
    gather,
    training_set,
    validation_set,
)
from whyrec.methods.trail.samples import Sample
from whyrec.methods.trail.scratch import END

SETTINGS = config({"neighbours": 3, "samples.step_days": 30})
LATER = datetime(2014, 1, 1, tzinfo=CUTOFF.tzinfo)


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    """Two items in two windows each; of the second nothing is told."""
    return [
        sample(item_id=item_id, users=users, target=target)
        for item_id, users, target in [
            ("a", (3, 9), 20),
            ("b", (9, 3), 1),
            ("c", (3, 8), 18),
            ("d", (8, 3), 1),
            ("a", (9, 20), 30),
            ("b", (), 0),
        ]
    ]


@pytest.fixture(scope="module")
def backbone(samples: list[Sample]) -> Backbone:
    return from_scratch(samples, [RISING, FALLING], config=SETTINGS)


def material(samples: list[Sample], *, told: tuple[int, ...] = (0, 1, 2, 4), until: datetime = LATER) -> Material:
    return Material(samples, dict.fromkeys(told, RISING), until)


def words(backbone: Backbone, encoded: EncodedSample) -> str:
    return str(backbone.tokenizer.decode(encoded.ids)).removesuffix(END)


# --- whom explanations are asked for ---------------------------------------------------------------------------------


def crowd(n_big: int, n_small: int) -> list[Sample]:
    """Targets of 99 and of 0: their chances are as sqrt(100) to sqrt(1)."""
    return [sample(item_id=f"i{n}", target=99 if n < n_big else 0) for n in range(n_big + n_small)]


def test_all_are_explained_where_there_is_no_limit() -> None:
    for explained in (None, 5, 6):
        assert chosen_for_explanation(crowd(2, 3), config=config({"explained": explained})) == [0, 1, 2, 3, 4]


def test_a_limit_is_kept_and_nobody_is_drawn_twice() -> None:
    chosen = chosen_for_explanation(crowd(10, 10), config=config({"explained": 7}))
    assert len(set(chosen)) == 7
    assert chosen == sorted(chosen)
    assert chosen == chosen_for_explanation(crowd(10, 10), config=config({"explained": 7}))
    assert chosen_for_explanation(crowd(1, 1), config=config({"explained": 0})) == []


def test_chances_grow_with_the_root_of_the_target() -> None:
    """One of ten, five of which have a ten times higher chance: one of those is drawn 10 times of 11."""
    drawn = [
        chosen_for_explanation(crowd(5, 5), config=config({"explained": 1, "training.seed": seed}))[0] < 5
        for seed in range(300)
    ]
    assert np.mean(drawn) == pytest.approx(10 / 11, abs=4 * np.sqrt(10 / 121 / 300))


# --- training texts --------------------------------------------------------------------------------------------------


def test_samples_with_a_text_teach_it_and_the_others_the_score_alone(samples: list[Sample], backbone: Backbone) -> None:
    built = training_set(material(samples), backbone, config=SETTINGS)
    assert [each.has_text for each in built.samples] == [True, True, True, False, True, False]
    assert words(backbone, built.samples[0]).endswith(f"score n20<exp_start>{RISING}<exp_end>")
    assert words(backbone, built.samples[3]).endswith("score n1")
    assert [each.count for each in built.samples] == [20, 1, 18, 1, 30, 0]


def test_copies_follow_the_samples_and_have_no_text(samples: list[Sample], backbone: Backbone) -> None:
    built = training_set(material(samples), backbone, config=config({"neighbours": 3, "thinned_copies": 2}))
    assert len(built.samples) == 3 * len(samples)
    assert not any(each.has_text for each in built.samples[len(samples) :])
    assert built.items.tolist() == built.items[: len(samples)].tolist() * 3
    counts = [each.count for each in built.samples]
    assert all(copy <= counts[place % 6] for place, copy in enumerate(counts))
    assert counts[6:12] != counts[12:], "each copy is drawn anew"
    assert built.neighbours is not None
    assert (built.neighbours[len(samples) :] == -1).all()


def test_items_are_told_apart_across_windows(samples: list[Sample], backbone: Backbone) -> None:
    items = training_set(material(samples), backbone, config=SETTINGS).items
    assert items[0] == items[4]
    assert items[1] == items[5]
    assert len(set(items.tolist())) == 4


def test_neighbours_are_rows_of_the_whole_set_among_those_with_a_text(
    samples: list[Sample], backbone: Backbone
) -> None:
    """Of the risers 0, 2 and 4, the first and the last are one item; the faller 1 has all risers, nearest first."""
    built = training_set(material(samples), backbone, config=SETTINGS)
    assert built.neighbours is not None
    rows = built.neighbours.tolist()
    assert rows[0][0] == 2
    assert 4 not in rows[0]
    assert rows[2][0] == 0
    assert Counter(rows[1]) == Counter([0, 2, 4])
    assert rows[3] == rows[5] == [-1, -1, -1], "without a text there is nothing to contrast"
    assert rows[0][2] == -1, "fewer than were asked for"


@pytest.mark.parametrize(("told", "changed"), [((0,), {}), ((), {}), ((0, 1, 2), {"training.contrastive_weight": 0.0})])
def test_nothing_is_contrasted_without_a_pair_or_a_weight(
    told: tuple[int, ...], changed: dict[str, object], samples: list[Sample], backbone: Backbone
) -> None:
    assert training_set(material(samples, told=told), backbone, config=config(changed)).neighbours is None


def test_descriptions_count_where_an_encoder_is_named(
    samples: list[Sample], backbone: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All histories alike: who is nearest is then a matter of the texts, of which the first equals the last."""
    alike = [sample(item_id=name, attributes={"genres": (genre,)}) for name, genre in zip("abc", "xyx", strict=True)]
    asked: list[str] = []

    class Letters:
        def __enter__(self) -> "Letters":
            return self

        def __exit__(self, *_: object) -> None: ...

        def embed(self, texts: list[str], *, normalize: bool) -> np.ndarray:
            asked.extend(texts)
            return np.array([[1.0, 0.0] if "x" in text.removeprefix("Gravity") else [0.0, 1.0] for text in texts])

    monkeypatch.setattr("whyrec.llm.embed.Embedder.open", lambda _name: Letters())
    for model, nearest in (("some/encoder", 2), (None, 1)):
        chosen = SETTINGS.model_copy(update={"embedding_model": model})
        built = training_set(material(alike, told=(0, 1, 2)), backbone, config=chosen)
        assert built.neighbours is not None
        assert built.neighbours[0, 0] == nearest
    assert len(asked) == 3


# --- no future -------------------------------------------------------------------------------------------------------


def test_a_neighbour_whose_outcome_was_not_known_is_refused(samples: list[Sample], backbone: Backbone) -> None:
    """The target window ends on the first of December; a minute before that, nobody knew how it would end."""
    end = samples[0].window.end
    training_set(material(samples, until=end), backbone, config=SETTINGS)
    with pytest.raises(InvalidDataError, match="expected a target window that ends by"):
        training_set(material(samples, until=end - timedelta(minutes=1)), backbone, config=SETTINGS)


LOG = [(user, item, 24 * number + user) for number in range(0, 119, 7) for user in range(3) for item in range(4)]


def texts_of(data: Dataset, *, until: datetime, settings: TrailConfig, known: Backbone) -> list[list[int]]:
    """The training texts as the tokens that are read, score and all."""
    gathered = gather(data, until=until, config=settings)
    return [encoded_sample(known.encoder(settings), each, text="").ids.tolist() for each in gathered]


def trail_config() -> TrailConfig:
    return config({"samples.step_days": None, "samples.zero_share": 0.0, "max_windows": 4})


def test_events_from_the_end_of_training_on_are_in_no_text(backbone: Backbone) -> None:
    """Planted at the very end of training they change nothing; a microsecond earlier they change what is taught."""
    data, until = world(LOG), day(90)
    chosen: dict[str, Any] = {"until": until, "settings": trail_config(), "known": backbone}
    honest = texts_of(data, **chosen)
    assert len(honest) > 4
    assert texts_of(with_events(data, at=until), **chosen) == honest
    assert texts_of(with_events(data, at=until - timedelta(microseconds=1)), **chosen) != honest


def newest(data: Dataset, *, until: datetime) -> list[Sample]:
    return [each for each in gather(data, until=until, config=trail_config()) if each.window.end == until]


def test_the_target_month_is_in_no_prompt() -> None:
    """An event in the newest target window raises every target in it by one and moves no history."""
    data, until = world(LOG), day(90)
    inside = until - timedelta(days=30)
    logs = data, with_events(data, at=inside), with_events(data, at=inside - timedelta(microseconds=1))
    honest, planted, earlier = ({each.history.item_id: each for each in newest(log, until=until)} for log in logs)
    for item_id in ("i0", "i1", "i2", "i3"):
        assert planted[item_id].history == honest[item_id].history
        assert planted[item_id].target == (honest[item_id].target or 0) + 1
        assert earlier[item_id].history != honest[item_id].history, "a moment before, it is history"


# --- validation ------------------------------------------------------------------------------------------------------


def test_validation_asks_about_the_last_window_and_those_with_an_audience_first(backbone: Backbone) -> None:
    """Items 0 to 3 have users, 4 and 5 none: the first four places are theirs, in an order that is drawn."""
    data, window = world(LOG), Window(day(60), day(90))
    for n in (4, 6, 100):
        chosen = config({"validation_samples": n})
        found = validation_set(data, backbone, window=window, config=chosen)
        assert len(found) == min(n, 6)
        assert not any(each.has_text for each in found)
        counts = [each.count for each in found]
        expected = [brute_force_users(data, f"i{item}", window.start, window.end) for item in range(4)]
        assert sorted(counts[:4]) == sorted(expected)
        assert counts[4:] == [0] * (len(found) - 4)
    assert window.start > START


def test_validation_prompts_know_nothing_of_their_window(backbone: Backbone) -> None:
    """An event in the window changes the score that is asked for, and nothing before it."""
    data, window = world(LOG), Window(day(60), day(90))
    chosen = config({"validation_samples": 4})

    def asked(given: Dataset) -> list[tuple[list[int], float]]:
        found = validation_set(given, backbone, window=window, config=chosen)
        return sorted((each.ids[: each.score_place].tolist(), each.count) for each in found)

    planted = with_events(Dataset.from_frames(data.interactions, data.items[:4], name="four"), at=window.start)
    honest = Dataset.from_frames(data.interactions, data.items[:4], name="four")
    assert [(ids, count + 1) for ids, count in asked(honest)] == asked(planted)


def test_what_is_gathered_ends_with_training_and_has_a_past() -> None:
    """The log begins some hours after its first midnight: of 180 days five windows are whole, and one warms up."""
    gathered = gather(small_world(), until=CUTOFF, config=SETTINGS)
    assert max(each.window.end for each in gathered) == CUTOFF
    assert len({each.window for each in gathered}) == 5 - 1
