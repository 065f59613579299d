"""The stages of a fit: run one by one, killed and resumed, written by a language model, and kept apart from others."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
import torch
from curec_camps import config, fitted
from polars.testing import assert_frame_equal

from contracts.recommender import NEWCOMER, UNTIL, USERS, checkerboard
from whyrec.data.dataset import Dataset
from whyrec.data.sequences import read_histories
from whyrec.errors import InvalidConfigError, InvalidDataError
from whyrec.llm.base import Prompt
from whyrec.llm.model import LanguageModel
from whyrec.llm.scripted import ScriptedBackend
from whyrec.methods.curec import stages as stages_module
from whyrec.methods.curec import texts as texts_module
from whyrec.methods.curec.artefacts import Pattern
from whyrec.methods.curec.histories import UserHistory, as_micros
from whyrec.methods.curec.model import CURecRecommender
from whyrec.methods.curec.offline import OfflineWriter
from whyrec.methods.curec.recommender_config import CURecConfig
from whyrec.methods.curec.stages import Stages
from whyrec.recommending.base import TrainingData

ASKED = {"user_ids": [*USERS, NEWCOMER], "k": 22}


class KilledError(Exception):
    """What a test ends a fit with."""


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def data() -> Dataset:
    return checkerboard()


def stages(data: Dataset, settings: CURecConfig) -> Stages:
    histories = read_histories(data, item_ids=data.items["item_id"].sort(), cutoff=UNTIL)
    return Stages(TrainingData(data, UNTIL, histories), settings)


def forbid(monkeypatch: pytest.MonkeyPatch, owner: object, name: str) -> None:
    def killed(*_: object, **__: object) -> None:
        raise KilledError

    monkeypatch.setattr(owner, name, killed)


def test_a_fit_that_is_killed_between_stages_goes_on_and_ends_the_same(
    data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, texts = config(checkpoints=tmp_path / "stages"), {"patterns.parquet", "reasons.parquet"}
    for name, kept in [
        ("embed_all", texts),
        ("train_encoder", texts | {"vectors.safetensors"}),
        ("train_reward_model", texts | {"vectors.safetensors", "base.safetensors"}),
    ]:
        with monkeypatch.context() as killing:
            forbid(killing, stages_module, name)
            with pytest.raises(KilledError):
                CURecRecommender(settings).fit(data, until=UNTIL)
        assert {path.name for path in (tmp_path / "stages").iterdir()} == kept | {"stages.json"}
    for name in ("write_patterns", "write_reasons"):
        forbid(monkeypatch, OfflineWriter, name)
    forbid(monkeypatch, stages_module, "embed_all")
    resumed = CURecRecommender(settings).fit(data, until=UNTIL)
    monkeypatch.undo()
    whole = CURecRecommender(config()).fit(data, until=UNTIL)
    assert_frame_equal(resumed.recommend(data, **ASKED), whole.recommend(data, **ASKED), check_exact=True)


def test_a_kill_while_texts_are_written_loses_only_the_part_in_hand(
    data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(texts_module, "USERS_AT_ONCE", 3)
    settings, written, n_allowed = config(checkpoints=tmp_path / "stages"), list[str](), [6]
    write = OfflineWriter.write_patterns

    def watched(writer: OfflineWriter, histories: list[UserHistory]) -> list[Pattern]:
        if len(set(written)) > n_allowed[0]:
            raise KilledError
        written.extend(history.user_id for history in histories)
        return write(writer, histories)

    monkeypatch.setattr(OfflineWriter, "write_patterns", watched)
    with pytest.raises(KilledError):
        _ = stages(data, settings).texts
    assert len(list((tmp_path / "stages" / "texts").iterdir())) == 3
    before = set(written)
    written.clear()
    n_allowed[0] = len(data.interactions.collect())
    resumed = stages(data, settings).texts
    assert before.isdisjoint(written), "what is kept is not written again"
    assert not (tmp_path / "stages" / "texts").exists()
    monkeypatch.undo()
    whole = stages(data, config()).texts
    for left, right in ((resumed.patterns, whole.patterns), (resumed.reasons, whole.reasons)):
        assert_frame_equal(left.frame, right.frame)


def test_a_stage_can_be_run_by_itself(data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = config(checkpoints=tmp_path / "stages")
    with monkeypatch.context() as forbidding:
        forbid(forbidding, OfflineWriter, "write_patterns")
        trained = stages(data, settings).base
    with monkeypatch.context() as forbidding:
        forbid(forbidding, stages_module, "train_encoder")
        assert len(stages(data, settings).texts.reasons) > 0
    again = stages(data, settings).base.state_dict()
    assert all(torch.equal(weights, again[name]) for name, weights in trained.state_dict().items())


def test_nothing_of_the_moment_or_later_is_written(data: Dataset) -> None:
    """NEWCOMER's first interaction is at the moment or later; every text is of what came before."""
    done = stages(data, config())
    assert NEWCOMER not in done.histories
    assert done.texts.reasons.frame["timestamp"].max() < UNTIL
    assert done.texts.patterns.frame["until"].max() < UNTIL


def test_held_out_items_are_not_trained_on(data: Dataset) -> None:
    done = stages(data, config(validation_users=10))
    split = done.split
    assert len(split.validation) == 10
    users = list(done.histories)
    for user, time, target in zip(
        split.validation.users, split.validation.times, split.validation.targets, strict=True
    ):
        history = done.histories[users[user]]
        assert done.item_ids[int(target) - 1] == history.item_ids[-1]
        assert time == as_micros(history.timestamps[-1])
        assert len(split.training.sequences.row(int(user))) == len(history) - 1
    n = sum(len(history) for history in done.histories.values())
    assert len(split.training.times) == n - 10


def test_reasons_need_a_past_unless_told_otherwise(data: Dataset) -> None:
    n_users = len(stages(data, config()).histories)
    n = len(stages(data, config()).texts.reasons)
    assert len(stages(data, config(min_history=0)).texts.reasons) == n + n_users, "the first of everybody's"
    thinned = stages(data, config(reasons_per_item=2)).texts.reasons.frame
    assert thinned.group_by("item_id").len()["len"].max() <= 2 + 3
    assert thinned.height < n


@pytest.mark.parametrize(
    ("changed", "what"),
    [({"pattern_every": 2}, "settings"), ({"training.seed": 7}, "settings"), ({"texts.seed": 1}, "settings")],
)
def test_stages_of_other_settings_are_refused(
    changed: dict[str, object], what: str, data: Dataset, tmp_path: Path
) -> None:
    kept = {"checkpoints": tmp_path / "stages"}
    assert stages(data, config(**kept)).texts
    with pytest.raises(InvalidDataError, match=f"expected stages of the same {what}, got those of a fit with others"):
        _ = stages(data, config(**kept, **changed)).texts
    assert stages(data, config(**kept, reranked=3)).texts, "what only serving reads may change"


def test_stages_of_other_data_are_refused(data: Dataset, tmp_path: Path) -> None:
    kept = config(checkpoints=tmp_path / "stages")
    assert stages(data, kept).texts
    fewer = Dataset.from_frames(data.interactions.filter(pl.col("user_id") != "A00"), data.items, name="fewer")
    with pytest.raises(InvalidDataError, match="expected stages of the same data"):
        _ = stages(fewer, kept).texts


def test_a_device_that_is_not_there_is_refused_at_once(data: Dataset, tmp_path: Path) -> None:
    with pytest.raises(InvalidConfigError, match="device: expected auto, cpu or a GPU"):
        stages(data, config(device="abacus", checkpoints=tmp_path / "stages"))
    assert not (tmp_path / "stages").exists()


# A language model writes


def answer(prompt: Prompt) -> str:
    """A pattern that no one can check; no reason for half of the questions."""
    content = prompt.messages[-1].content
    if "<item>" not in content:
        return "- water\n- boats"
    return "" if "height" in content.partition("<item>")[2] else "Because of the water."


def test_a_language_model_writes_and_the_offline_writer_stands_in(data: Dataset, tmp_path: Path) -> None:
    model = LanguageModel(ScriptedBackend(answer))
    recommender = fitted(data, language_model=model)
    assert recommender.served_ is not None
    reasons, patterns = recommender.served_.reasons.frame, recommender.served_.patterns.frame
    assert set(reasons["writer"]) == {model.writer, "offline"}
    assert set(patterns["writer"]) == {model.writer}
    assert reasons.filter(pl.col("writer") == model.writer)["item_id"].str.starts_with("a").all()
    [told] = recommender.explain(data, user_id="A00", k=1)
    assert told.explanation.writer == "offline", "the model's pattern ranks, but nobody can check what it says"
    assert "boats" not in told.explanation.text
    assert told.explanation.verdict.verified
    assert told.pattern is not None
    assert told.pattern.text == "- water\n- boats"
    [offline] = recommender.explain(data, user_id=NEWCOMER, k=1)
    assert offline.pattern is not None
    assert offline.pattern.writer == "offline", "nothing is asked while serving"
    recommender.save(tmp_path / "run")
    loaded = CURecRecommender.load(tmp_path / "run")
    assert_frame_equal(loaded.recommend(data, **ASKED), recommender.recommend(data, **ASKED), check_exact=True)


def test_reasons_in_another_language_are_read_but_not_called_verified(data: Dataset) -> None:
    in_korean = LanguageModel(ScriptedBackend(lambda _: "물을 좋아하는 사람이라서 골랐다."))
    recommender = fitted(data, language_model=in_korean)
    assert recommender.served_ is not None
    assert recommender.served_.vectors.reasons.vectors.any(), "they are compared by their words all the same"
    [told] = recommender.explain(data, user_id="A00", k=1)
    assert told.reasons[0].reason.text == "물을 좋아하는 사람이라서 골랐다."
    assert not any(read.verified for read in told.reasons)
    assert "물을" not in told.explanation.text, "beside verified texts it would pass for one"
    assert told.explanation.verdict.verified


def test_a_user_with_one_interaction_gets_a_list_and_a_reason(data: Dataset) -> None:
    first = pl.DataFrame(
        {"user_id": "Z9", "item_id": "a00", "timestamp": data.interactions.collect()["timestamp"].min()},
        schema=data.interactions.collect_schema(),
    )
    grown = Dataset.from_frames(pl.concat([data.interactions.collect(), first]), data.items, name="grown")
    recommender = fitted(grown)
    [told] = recommender.explain(grown, user_id="Z9", k=1)
    assert told.rank == 1
    assert told.explanation.verdict.verified
    assert told.pattern is not None
    assert told.pattern.n_items == 1


def test_a_pattern_of_a_language_model_stands_however_much_is_new(data: Dataset) -> None:
    recommender = fitted(data, language_model=LanguageModel(ScriptedBackend(answer)))
    log = data.interactions.collect()
    more = pl.DataFrame(
        {"user_id": "A00", "item_id": [f"b0{n}" for n in range(8)], "timestamp": [UNTIL] * 8}, schema=log.schema
    )
    grown = Dataset.from_frames(pl.concat([log, more]), data.items, name="grown")
    [told] = recommender.explain(grown, user_id="A00", k=1)
    assert told.pattern is not None
    assert told.pattern.text == "- water\n- boats"


def test_the_settings_can_name_the_model(data: Dataset, tmp_path: Path) -> None:
    with pytest.raises(InvalidConfigError, match="expected 'none', 'local:DIRECTORY'"):
        CURecRecommender(config(llm="a parrot", checkpoints=tmp_path / "stages")).fit(data, until=UNTIL)
    assert not (tmp_path / "stages").exists()
