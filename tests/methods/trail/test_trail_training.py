"""The training loop: every term is learnt, runs go on where they were killed, and the best look is kept."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from tuning_world import FALLING, RISING, SMALL, encoded, sample, scratch_encoder

from whyrec.errors import InvalidConfigError, InvalidDataError, OutputWriteError, TrainingError
from whyrec.llm.lora import LoraSettings, attach_adapter
from whyrec.methods.trail import train as loop
from whyrec.methods.trail.batches import TrainingSet
from whyrec.methods.trail.config import TrailTraining
from whyrec.methods.trail.encoding import EncodedSample
from whyrec.methods.trail.equations import scheduled_weight
from whyrec.methods.trail.network import ProjectionHead, TrailNetwork
from whyrec.methods.trail.number_words import number_words
from whyrec.methods.trail.scratch import build_model
from whyrec.methods.trail.train import TrailReport, train
from whyrec.runtime.training_state import save_state

ENCODER = scratch_encoder(max_windows=2, with_daily=False)
TOKENIZER = ENCODER.tokenizer
PADDING = TOKENIZER.pad_token_id
SCORE_WORDS = torch.tensor(TOKENIZER.convert_tokens_to_ids([f" {word}" for word in number_words()]))


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n_threads)


def text(place: int, *, told: bool, target: int | None = None) -> EncodedSample:
    """An item that rises or falls; what is to come is what was last."""
    rises = place % 2 == 0
    users = (3, 20 + place) if rises else (20 + place, 3)
    given = sample(item_id=f"i{place}", users=users, target=users[-1] if target is None else target, attributes={})
    return encoded(ENCODER, given, explanation=(RISING if rises else FALLING) if told else "")


def training_set(*, n_told: int = 8, n_silent: int = 4) -> TrainingSet:
    """Risers list two other risers, fallers two other fallers."""
    n = n_told + n_silent
    like = [[other for other in range(place % 2, n_told, 2) if other != place][:2] for place in range(n)]
    return TrainingSet(
        [text(place, told=place < n_told) for place in range(n)],
        np.arange(n),
        np.array([row if place < n_told else [-1, -1] for place, row in enumerate(like)]),
    )


TRAINING = training_set()
VALIDATION = [text(place, told=False) for place in range(20, 26)]


def network(*, spread: float = 0.15, dropout: float = 0.1) -> TrailNetwork:
    torch.manual_seed(0)
    model = build_model(TOKENIZER, config=SMALL, seed=3).requires_grad_(True)
    head = ProjectionHead(32, hidden=16, out=8, dropout=dropout)
    return TrailNetwork(model, head, score_words=SCORE_WORDS, spread=spread)


def config(**changed: Any) -> TrailTraining:
    settings = {"learning_rate": 1e-2, "batch_size": 4, "accumulation": 1, "epochs": 4, "checkpoint_steps": 3}
    return TrailTraining(**{**settings, "patience": 100, "seed": 5, **changed})


def run(
    net: TrailNetwork, *, training: TrainingSet = TRAINING, validation: list[EncodedSample] = VALIDATION, **options: Any
) -> TrailReport:
    names = {"checkpoint", "stop_after"} & set(options)
    given = {name: options.pop(name) for name in names}
    return train(net, training, validation=validation, config=config(**options), padding=PADDING, **given)


def weights(net: TrailNetwork) -> dict[str, torch.Tensor]:
    return {name: parameter.detach().clone() for name, parameter in net.named_parameters()}


def assert_same(first: TrailNetwork, second: TrailNetwork) -> None:
    """To the bit."""
    found, expected = weights(first), weights(second)
    assert found.keys() == expected.keys()
    assert [name for name in found if not torch.equal(found[name], expected[name])] == []


def moved(before: dict[str, torch.Tensor], net: TrailNetwork) -> set[str]:
    return {name.partition(".")[0] for name, tensor in weights(net).items() if not torch.equal(tensor, before[name])}


def test_every_term_falls() -> None:
    """12 texts in batches of 4 are 3 steps an epoch, each epoch ends with a look."""
    report = run(network(), epochs=20, explanation_weight=1.0)
    first, last = report.looks[0], report.looks[-1]
    assert (report.n_steps, len(report.looks), last.step) == (60, 20, 60)
    assert last.supervised < 0.7 * first.supervised
    assert last.explanation < 0.2 * first.explanation
    assert last.contrastive < 0.5 * first.contrastive
    assert last.validation < first.validation
    assert report.tokens > 20 * sum(len(each.ids) for each in TRAINING.samples) * 0.8


def test_the_same_seed_gives_the_same_weights_and_another_others() -> None:
    first, same, other = network(), network(), network()
    torch.manual_seed(1)
    run(first)
    torch.manual_seed(2)
    run(same)
    run(other, seed=6)
    assert_same(first, same)
    assert moved(weights(first), other) == {"model", "head"}


class KilledError(Exception):
    """The power goes."""


@pytest.mark.parametrize("at", [1, 3])
def test_a_killed_run_that_goes_on_ends_where_an_uninterrupted_one_does(
    at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed while a checkpoint is written: the one before it stands, and the steps since are made again."""
    whole, killed, resumed = network(), network(), network()
    uninterrupted = run(whole)
    checkpoint = tmp_path / "state.safetensors"
    written: list[Path] = []

    def fail(path: Path, **state: Any) -> None:
        written.append(path)
        if len(written) > at:
            raise KilledError
        save_state(path, **state)

    monkeypatch.setattr(loop, "save_state", fail)
    with pytest.raises(KilledError):
        run(killed, checkpoint=checkpoint)
    monkeypatch.undo()
    report = run(resumed, checkpoint=checkpoint)
    assert_same(resumed, whole)
    assert without_seconds(report) == without_seconds(uninterrupted)


def without_seconds(report: TrailReport) -> list[object]:
    looks = [(look.step, look.validation, look.supervised, look.contrastive, look.explanation) for look in report.looks]
    return [looks, report.best_step, report.n_steps, report.tokens]


def test_a_run_that_was_stopped_goes_on_in_the_middle_of_an_epoch(tmp_path: Path) -> None:
    whole, stopped, resumed = network(), network(), network()
    run(whole, validation=[], checkpoint_steps=2)
    assert run(stopped, validation=[], checkpoint_steps=2, checkpoint=tmp_path / "s", stop_after=4).looks[-1].step == 4
    run(resumed, validation=[], checkpoint_steps=2, checkpoint=tmp_path / "s")
    assert_same(resumed, whole)


def test_an_adapters_run_goes_on_and_leaves_the_model_under_it_alone(tmp_path: Path) -> None:
    def adapted() -> TrailNetwork:
        net = network()
        settings = LoraSettings(rank=2, dropout=0.1, target_modules=("q_proj", "v_proj"))
        net.model = attach_adapter(net.model, TOKENIZER, settings).model
        return net

    torch.manual_seed(0)
    whole, stopped, resumed = adapted(), adapted(), adapted()
    resumed.load_state_dict(whole.state_dict())
    stopped.load_state_dict(whole.state_dict())
    before = weights(whole)
    run(whole)
    run(stopped, checkpoint=tmp_path / "s", stop_after=6)
    run(resumed, checkpoint=tmp_path / "s")
    assert_same(resumed, whole)
    frozen = [name for name, parameter in whole.named_parameters() if not parameter.requires_grad]
    assert len(frozen) > 5
    after = weights(whole)
    assert all(torch.equal(before[name], after[name]) for name in frozen)
    assert any(not torch.equal(before[name], after[name]) for name in before if "lora_B" in name)
    with safe_open(tmp_path / "s", framework="pt") as state:
        assert not [name for name in state.keys() if name.partition("/")[2] in frozen]  # noqa: SIM118


def test_a_finished_run_is_not_trained_again(tmp_path: Path) -> None:
    done, again = network(), network()
    first = run(done, checkpoint=tmp_path / "s")
    second = run(again, checkpoint=tmp_path / "s")
    assert_same(again, done)
    assert without_seconds(second) == without_seconds(first)


def test_the_best_look_is_kept_and_training_stops_when_nothing_gets_better() -> None:
    """Scores that contradict the training ones: the more is learnt, the worse they are told."""
    contradicting = [text(place, told=False, target=2000) for place in range(20, 24)]
    stopped = network()
    report = run(stopped, validation=contradicting, epochs=40, patience=2, learning_rate=3e-2)
    found = [look.validation for look in report.looks]
    assert report.looks[-1].step < report.n_steps == 120
    assert len(found) - 1 - int(np.argmin(found)) == 2
    assert report.best_step == report.looks[int(np.argmin(found))].step
    kept = network()
    until = run(kept, validation=[], epochs=40, learning_rate=3e-2, stop_after=report.best_step)
    assert until.best_step == report.best_step
    assert_same(stopped, kept)


def test_stopping_early_survives_being_killed(tmp_path: Path) -> None:
    contradicting = [text(place, told=False, target=2000) for place in range(20, 24)]
    options: dict[str, Any] = {"validation": contradicting, "epochs": 40, "patience": 2, "learning_rate": 3e-2}
    whole, resumed = network(), network()
    report = run(whole, **options)
    run(network(), **options, checkpoint=tmp_path / "s", stop_after=report.best_step + 3)
    assert without_seconds(run(resumed, **options, checkpoint=tmp_path / "s")) == without_seconds(report)
    assert_same(resumed, whole)


def test_without_validation_the_last_weights_are_kept() -> None:
    report = run(network(), validation=[])
    assert np.isnan([look.validation for look in report.looks]).all()
    assert report.best_step == report.n_steps == 12


def test_stop_after_ends_early_on_the_schedule_of_the_whole_run() -> None:
    net = network()
    report = run(net, validation=[], stop_after=5)
    assert (report.looks[-1].step, report.best_step, report.n_steps) == (5, 5, 12)
    short = network()
    run(short, validation=[], epochs=2, stop_after=5)
    assert moved(weights(net), short) == {"model", "head"}, "a shorter run's rate falls faster"


@pytest.mark.parametrize("changed", [{"contrastive_weight": 0.0}, {"contrastive_weight": 0}])
def test_without_the_contrastive_term_the_head_stays_as_it_was(changed: dict[str, float]) -> None:
    net = network()
    before = weights(net)
    report = run(net, validation=[], epochs=1, **changed)
    assert moved(before, net) == {"model"}
    assert report.looks[-1].contrastive == 0


def test_without_the_supervised_term_only_the_others_are_learnt() -> None:
    """Texts that teach the score alone then teach nothing, and a run of them changes nothing."""
    silent = TrainingSet(TRAINING.samples[8:], np.arange(4), None)
    nothing = network()
    before = weights(nothing)
    report = run(nothing, training=silent, validation=[], epochs=1, supervised=False, weight_decay=0.0)
    assert moved(before, nothing) == set()
    assert report.looks[-1].supervised > 1  # still told
    others = network()
    report = run(others, epochs=20, supervised=False, explanation_weight=1.0)
    assert report.looks[-1].explanation < 0.2 * report.looks[0].explanation
    assert report.looks[-1].supervised > 0.8 * report.looks[0].supervised


def test_without_any_weight_on_explanations_they_are_not_learnt() -> None:
    taught, untaught = (
        run(network(), epochs=10, contrastive_weight=0.0, explanation_weight=weight) for weight in (1.0, 0.0)
    )
    assert taught.looks[-1].explanation < 0.5 * untaught.looks[-1].explanation


def test_a_scheduled_weight_is_that_of_the_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """12 steps: the weights asked for are those of steps 0 to 11 of 12, and they end in other weights than .3 does."""
    asked: list[float] = []
    real: Callable[..., torch.Tensor] = loop.total_loss

    def noted(supervised: torch.Tensor, contrastive: torch.Tensor, *, contrastive_weight: float) -> torch.Tensor:
        asked.append(contrastive_weight)
        return real(supervised, contrastive, contrastive_weight=contrastive_weight)

    monkeypatch.setattr(loop, "total_loss", noted)
    run(network(), contrastive_weight="scheduled")
    assert asked == [scheduled_weight(step, 12) for step in range(12)]
    assert max(asked) > 0.7


def test_accumulated_batches_make_one_step_with_their_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two batches of two texts in one step have the gradient of one batch of the same four, without dropout."""
    norms: list[float] = []
    real: Callable[..., torch.Tensor] = loop.Accelerator.clip_grad_norm_

    def noted(*given: Any) -> torch.Tensor:
        norms.append(float(real(*given)))
        return real(*given)

    monkeypatch.setattr(loop.Accelerator, "clip_grad_norm_", noted)
    told = TrainingSet(TRAINING.samples[:4], np.arange(4), None)
    worth = [float(each.token_weights[1:].sum()) for each in told.samples]
    assert worth == pytest.approx([worth[0]] * 4), "of equal weights, or the mean of means is another"
    options: dict[str, Any] = {"training": told, "validation": [], "epochs": 1, "explanation_weight": 0.0}
    whole = run(network(dropout=0.0), **options, batch_size=4)
    halves = run(network(dropout=0.0), **options, batch_size=2, accumulation=2)
    assert whole.n_steps == halves.n_steps == 1
    assert whole.looks[0].supervised == pytest.approx(halves.looks[0].supervised, rel=1e-6)
    assert norms[0] == pytest.approx(norms[1], rel=1e-5)


def test_every_device_has_a_batch_in_every_step() -> None:
    """12 texts in batches of 4 are 3 plans; on 2 devices the second step has one plan left, which the first joins."""
    steps = loop._Steps(TRAINING, config(epochs=2), n_devices=2)
    assert len(steps) == 4
    assert [len(steps.plans(step)) for step in range(4)] == [2, 2, 2, 2]
    rows = [[plan.rows.tolist() for plan in steps.plans(step)] for step in (0, 1)]
    assert rows[1][1] == rows[0][0]
    assert loop._Steps(TRAINING, config(), n_devices=1).plans(2)[0].rows.tolist() == rows[1][0]


def test_a_loss_that_is_no_number_ends_the_run_with_the_last_good_weights() -> None:
    net = network()
    net.head.first.weight.data[0, 0] = torch.nan
    before = weights(net)
    with pytest.raises(TrainingError, match=r"step \d: expected finite losses, got \[.*nan.*\]. Lower learning_rate"):
        run(net)
    assert all(torch.isfinite(tensor).all() for name, tensor in weights(net).items() if name != "head.first.weight")
    assert before.keys() == weights(net).keys()


def test_a_validation_loss_that_is_no_number_is_no_best_look() -> None:
    broken = text(20, told=False)
    broken.token_weights[broken.score_place] = np.inf
    with pytest.raises(TrainingError, match="validation: expected a finite loss, got nan"):
        run(network(), validation=[broken])


def test_nothing_to_learn_is_refused() -> None:
    with pytest.raises(InvalidDataError, match="expected texts, got none"):
        run(network(), training=TrainingSet([], np.array([], dtype=np.int64), None))


def test_the_state_of_another_run_is_refused(tmp_path: Path) -> None:
    run(network(), checkpoint=tmp_path / "s", stop_after=3)
    with pytest.raises(InvalidConfigError, match=r"got that of another \(learning_rate 0.01, here 0.02\). Remove it"):
        run(network(), checkpoint=tmp_path / "s", learning_rate=0.02)
    fewer = TrainingSet(TRAINING.samples[:9], TRAINING.items[:9], None)
    with pytest.raises(InvalidConfigError, match=r"\(texts 12, here 9\)"):
        run(network(), checkpoint=tmp_path / "s", training=fewer)
    save_state(tmp_path / "old", parts={}, record={"step": 3})
    with pytest.raises(InvalidConfigError, match="got that of another"):
        run(network(), checkpoint=tmp_path / "old")


def test_a_checkpoint_that_cannot_be_written_or_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputWriteError, match="file"):
        run(network(), checkpoint=tmp_path / "file" / "state", epochs=1)
    (tmp_path / "damaged").write_bytes(b"no tensors")
    with pytest.raises(InvalidDataError, match="damaged: expected the state of a training run"):
        run(network(), checkpoint=tmp_path / "damaged")
