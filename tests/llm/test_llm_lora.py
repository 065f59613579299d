from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from whyrec.errors import InvalidConfigError, InvalidModelError, OutputExistsError
from whyrec.llm.lora import (
    AdaptedModel,
    LoraSettings,
    adapter_hash,
    attach_adapter,
    load_adapter,
    merge_adapter,
    save_adapter,
    save_merged,
)
from whyrec.llm.tuning import IGNORED, TrainingExample, TuningSettings, tokenise_example, tune

MARKERS = ("<why>", "</why>")
LESSON = [("sea", "calm"), ("war", "loud"), ("love", "warm"), ("space", "far")]


@pytest.fixture(autouse=True)
def _one_thread() -> Any:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def base(directory: Path) -> tuple[Any, Any]:
    return AutoModelForCausalLM.from_pretrained(directory), AutoTokenizer.from_pretrained(directory)


def adapted(directory: Path, **settings: Any) -> AdaptedModel:
    torch.manual_seed(0)
    return attach_adapter(*base(directory), LoraSettings(**{"markers": MARKERS, "dropout": 0.0} | settings))


def examples(tokenizer: Any) -> list[TrainingExample]:
    return [tokenise_example(tokenizer, f"{word}:", f"<why>{answer}</why>") for word, answer in LESSON] * 4


def settings(**changed: Any) -> TuningSettings:
    return TuningSettings(**{"learning_rate": 2e-2, "epochs": 40, "batch_size": 8, "checkpoint_steps": 10} | changed)


def logits(model: Any, tokenizer: Any, text: str = "sea:<why>calm</why>") -> torch.Tensor:
    with torch.inference_mode():
        return model.eval()(**tokenizer(text, return_tensors="pt", add_special_tokens=False)).logits


@pytest.fixture(scope="module")
def trained(tiny_model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[AdaptedModel, Any]:
    model = adapted(tiny_model_dir)
    report = tune(
        model, examples(model.tokenizer), settings(), checkpoints=tmp_path_factory.mktemp("tuning") / "checkpoints"
    )
    return model, report


def test_a_new_adapter_changes_nothing(tiny_model_dir: Path) -> None:
    plain, tokenizer = base(tiny_model_dir)
    before = logits(plain, tokenizer, "The sea")
    model = adapted(tiny_model_dir)
    assert torch.equal(before, logits(model.model, model.tokenizer, "The sea"))


def test_markers_are_one_token_each_and_the_table_keeps_its_rows(tiny_model_dir: Path) -> None:
    plain, _ = base(tiny_model_dir)
    model = adapted(tiny_model_dir)
    assert [len(model.tokenizer(marker, add_special_tokens=False).input_ids) for marker in MARKERS] == [1, 1]
    rows = plain.get_input_embeddings().weight.shape[0]
    assert rows > len(model.tokenizer), "the table must be padded for this test to mean anything"
    assert model.record.rows == rows


def test_more_markers_than_spare_rows_grow_the_table(tiny_model_dir: Path, tmp_path: Path) -> None:
    plain, tokenizer = base(tiny_model_dir)
    markers = tuple(f"<m{number}>" for number in range(plain.config.vocab_size - len(tokenizer) + 5))
    model = adapted(tiny_model_dir, markers=markers)
    assert model.record.rows == plain.config.vocab_size + 5
    save_adapter(model, tmp_path / "adapter")
    again = load_adapter(*base(tiny_model_dir), tmp_path / "adapter")
    text = "".join(markers[-3:])
    torch.testing.assert_close(logits(again.model, again.tokenizer, text), logits(model.model, model.tokenizer, text))


def test_only_the_adapter_and_the_markers_rows_learn(trained: tuple[AdaptedModel, Any], tiny_model_dir: Path) -> None:
    model, _ = trained
    plain, _ = base(tiny_model_dir)
    ids = model.tokenizer.convert_tokens_to_ids(list(MARKERS))
    for table in ("embed_tokens", "lm_head"):
        wrapper = next(
            module
            for name, module in model.model.named_modules()
            if name.endswith(table) and hasattr(module, "token_adapter")
        )
        found = wrapper.token_adapter.get_merged_weights(["default"]).detach()
        before = dict(plain.named_modules())[f"model.{table}" if table == "embed_tokens" else table].weight
        changed = (found != before).any(dim=1).nonzero().flatten().tolist()
        assert changed == sorted(ids), table


def test_tuning_learns_the_lesson(trained: tuple[AdaptedModel, Any]) -> None:
    model, report = trained
    assert report.steps == 80
    assert report.losses[-1] < 0.3 < report.losses[0]
    ids = model.tokenizer("war:", return_tensors="pt", add_special_tokens=False)
    written = model.model.generate(**ids, max_new_tokens=12, do_sample=False)
    assert model.tokenizer.decode(written[0, ids.input_ids.shape[1] :]).startswith("<why>loud</why>")


def test_saved_and_reloaded_gives_the_same_logits(
    trained: tuple[AdaptedModel, Any], tiny_model_dir: Path, tmp_path: Path
) -> None:
    model, _ = trained
    save_adapter(model, tmp_path / "adapter")
    again = load_adapter(*base(tiny_model_dir), tmp_path / "adapter")
    assert torch.equal(logits(model.model, model.tokenizer), logits(again.model, again.tokenizer))
    assert again.record == model.record
    with pytest.raises(OutputExistsError):
        save_adapter(model, tmp_path / "adapter")


def test_merged_equals_adapted_and_is_an_ordinary_model(
    trained: tuple[AdaptedModel, Any], tiny_model_dir: Path, tmp_path: Path
) -> None:
    model, _ = trained
    save_adapter(model, tmp_path / "adapter")
    copy = load_adapter(*base(tiny_model_dir), tmp_path / "adapter")
    expected = logits(model.model, model.tokenizer)
    save_merged(copy, tmp_path / "merged")
    ordinary, tokenizer = base(tmp_path / "merged")
    torch.testing.assert_close(logits(ordinary, tokenizer), expected, atol=1e-4, rtol=1e-4)
    assert not list((tmp_path / "merged").glob("adapter*"))
    again = load_adapter(*base(tiny_model_dir), tmp_path / "adapter")
    torch.testing.assert_close(logits(merge_adapter(again), again.tokenizer), expected, atol=1e-4, rtol=1e-4)


def test_killed_and_resumed_equals_uninterrupted(
    trained: tuple[AdaptedModel, Any], tiny_model_dir: Path, tmp_path: Path
) -> None:
    class KilledError(Exception):
        pass

    expected, _ = trained
    model = adapted(tiny_model_dir)
    seen = []

    def dies_in_step_15(inner: Any, batch: Any) -> torch.Tensor:
        seen.append(1)
        if len(seen) == 15:
            raise KilledError
        return inner(**batch).loss

    with pytest.raises(KilledError):
        tune(model, examples(model.tokenizer), settings(), checkpoints=tmp_path, loss=dies_in_step_15)
    # A checkpoint that was being written when the end came must not be taken.
    (tmp_path / "checkpoint-14").mkdir()
    resumed = adapted(tiny_model_dir)
    report = tune(resumed, examples(resumed.tokenizer), settings(), checkpoints=tmp_path)
    assert report.steps == 80
    assert torch.equal(logits(resumed.model, resumed.tokenizer), logits(expected.model, expected.tokenizer))


def test_an_own_loss_takes_the_place_of_the_likelihood(tiny_model_dir: Path, tmp_path: Path) -> None:
    model = adapted(tiny_model_dir)
    batches = []

    def own(inner: Any, batch: Any) -> torch.Tensor:
        batches.append(batch)
        return inner(**batch).logits.pow(2).mean()

    report = tune(model, examples(model.tokenizer), settings(epochs=2), checkpoints=tmp_path, loss=own)
    assert report.losses[-1] < report.losses[0]
    assert (batches[0]["labels"] == IGNORED).any()


def test_the_default_loss_is_shifted_by_one_position(tiny_model_dir: Path) -> None:
    model, tokenizer = base(tiny_model_dir)
    example = tokenise_example(tokenizer, "The sea", " is calm")
    ids = torch.tensor([example.input_ids])
    labels = ids.clone()
    labels[:, : example.n_prompt] = IGNORED
    with torch.inference_mode():
        found = model(input_ids=ids, labels=labels)
        by_hand = torch.nn.functional.cross_entropy(found.logits[0, :-1], labels[0, 1:], ignore_index=IGNORED)
    assert found.loss == pytest.approx(by_hand.item(), rel=1e-6)
    assert example.input_ids[-1] == tokenizer.eos_token_id


def test_an_adapter_of_another_base_is_refused(
    trained: tuple[AdaptedModel, Any], tiny_model_dir: Path, other_model_dir: Path, tmp_path: Path
) -> None:
    save_adapter(trained[0], tmp_path / "adapter")
    with pytest.raises(InvalidModelError, match=r"trained on \(tiny-model\), got other-model, which has another shape"):
        load_adapter(*base(other_model_dir), tmp_path / "adapter")
    changed, tokenizer = base(tiny_model_dir)
    with torch.no_grad():
        for parameter in changed.parameters():
            parameter.mul_(1.5)
    with pytest.raises(InvalidModelError, match="which has other weights"):
        load_adapter(changed, tokenizer, tmp_path / "adapter")
    (tmp_path / "adapter" / "whyrec_adapter.json").unlink()
    with pytest.raises(InvalidModelError, match="got one of another shape"):
        load_adapter(*base(other_model_dir), tmp_path / "adapter")


def test_half_precision_is_the_same_base(
    trained: tuple[AdaptedModel, Any], tiny_model_dir: Path, tmp_path: Path
) -> None:
    save_adapter(trained[0], tmp_path / "adapter")
    for dtype in (torch.bfloat16, torch.float16):
        half = AutoModelForCausalLM.from_pretrained(tiny_model_dir, dtype=dtype)
        load_adapter(half, AutoTokenizer.from_pretrained(tiny_model_dir), tmp_path / "adapter")


def test_no_adapter_and_pickled_weights_are_refused(
    trained: tuple[AdaptedModel, Any], tiny_model_dir: Path, tmp_path: Path
) -> None:
    with pytest.raises(InvalidModelError, match=r"expected a LoRA adapter \(adapter_config.json\), found none"):
        load_adapter(*base(tiny_model_dir), tmp_path)
    save_adapter(trained[0], tmp_path / "adapter")
    (tmp_path / "adapter" / "adapter_model.safetensors").rename(tmp_path / "adapter" / "adapter_model.bin")
    with pytest.raises(InvalidModelError, match="pickled weights are never loaded"):
        load_adapter(*base(tiny_model_dir), tmp_path / "adapter")


def test_a_damaged_or_newer_record_is_refused(
    trained: tuple[AdaptedModel, Any], tiny_model_dir: Path, tmp_path: Path
) -> None:
    save_adapter(trained[0], tmp_path / "adapter")
    record = tmp_path / "adapter" / "whyrec_adapter.json"
    record.write_text(record.read_text().replace('"format": 1', '"format": 2'))
    with pytest.raises(InvalidModelError, match="expected an adapter record of format 1"):
        load_adapter(*base(tiny_model_dir), tmp_path / "adapter")


def test_the_hash_follows_the_weights(trained: tuple[AdaptedModel, Any], tiny_model_dir: Path, tmp_path: Path) -> None:
    save_adapter(trained[0], tmp_path / "a")
    save_adapter(trained[0], tmp_path / "b")
    save_adapter(adapted(tiny_model_dir), tmp_path / "c")
    assert adapter_hash(tmp_path / "a") == adapter_hash(tmp_path / "b") != adapter_hash(tmp_path / "c")


def test_unknown_target_modules_and_empty_lessons_are_refused(tiny_model_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidConfigError, match="names of linear modules of tiny-model, got wq"):
        adapted(tiny_model_dir, target_modules=("wq",))
    with pytest.raises(InvalidConfigError, match="expected at least one example, got none"):
        tune(adapted(tiny_model_dir), [], settings(), checkpoints=tmp_path)
