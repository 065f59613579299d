import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import transformers
from pydantic import ValidationError
from safetensors.torch import load_file, save_file

from whyrec.errors import InvalidConfigError, InvalidModelError
from whyrec.llm.base import GREEDY, Prompt
from whyrec.llm.local import LocalBackend, LocalSettings
from whyrec.llm.local.loading import content_hash
from whyrec.llm.lora import LoraSettings, attach_adapter, save_adapter


@pytest.fixture
def model_copy(tiny_model_dir: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_model_dir, tmp_path / "tiny copy"))


def test_identity_names_everything_that_affects_answers(tiny_backend: LocalBackend, tiny_model_dir: Path) -> None:
    identity = tiny_backend.identity
    assert (identity.backend, identity.model, identity.adapter) == ("local", "tiny-model", None)
    assert identity.revision == content_hash(tiny_model_dir)
    assert identity.options == {"dtype": "float32", "template": "model"}
    assert tiny_backend.context_tokens == 1024


@pytest.mark.parametrize("file", ["config.json", "tokenizer.json", "chat_template.jinja", "model.safetensors"])
def test_a_change_of_any_file_changes_the_revision(model_copy: Path, file: str) -> None:
    before = content_hash(model_copy)
    (model_copy / "README.md").write_text("of no account")
    assert content_hash(model_copy) == before
    changed = bytearray((model_copy / file).read_bytes())
    changed[-1] ^= 1
    (model_copy / file).write_bytes(changed)
    assert content_hash(model_copy) != before


def test_a_copy_of_a_model_is_the_same_revision_and_loading_says_nothing(
    model_copy: Path, tiny_backend: LocalBackend, capfd: pytest.CaptureFixture[str]
) -> None:
    bars = transformers.utils.logging.is_progress_bar_enabled()
    assert LocalBackend.open(str(model_copy)).identity.revision == tiny_backend.identity.revision
    assert capfd.readouterr() == ("", "")
    assert transformers.utils.logging.is_progress_bar_enabled() == bars


@pytest.mark.parametrize("name", ["no/such/model/here", "./absent", "/absent", ""])
def test_neither_a_directory_nor_a_name(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    if name == "":
        (tmp_path / "config.json").write_text("{}")  # the empty path is the current directory, which holds no weights
        with pytest.raises(InvalidModelError, match=r"expected weights \(\*\.safetensors\), found none"):
            LocalBackend.open(name)
        return
    with pytest.raises(InvalidModelError, match=f"'{name}': expected a model directory or the name of a model on the"):
        LocalBackend.open(name)


def test_a_path_is_never_looked_for_on_the_hub(tmp_path: Path) -> None:
    with pytest.raises(InvalidModelError, match=r"got neither\. Check the path"):
        LocalBackend.open(Path("absent"))


def test_a_hub_name_that_cannot_be_fetched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(
        InvalidModelError, match=r"'nobody/nothing': expected .* that can be fetched, got neither \(.*HF_TOKEN"
    ):
        LocalBackend.open("nobody/nothing")


def test_a_hub_name_in_the_hubs_cache_is_opened_by_its_commit(
    monkeypatch: pytest.MonkeyPatch, tiny_model_dir: Path, tmp_path: Path
) -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    repository = tmp_path / "models--someone--tiny"
    shutil.copytree(tiny_model_dir, repository / "snapshots" / commit)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    identity = LocalBackend.open("someone/tiny").identity
    assert (identity.model, identity.revision) == ("someone/tiny", commit)


def test_a_directory_without_config(tmp_path: Path) -> None:
    with pytest.raises(InvalidModelError, match=r"expected a model directory with config.json, found none. Check the"):
        LocalBackend.open(tmp_path)


def test_an_adapter_is_not_a_model(tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text("{}")
    with pytest.raises(InvalidModelError, match="This is an adapter: name its base model"):
        LocalBackend.open(tmp_path)


def test_pickled_weights_are_refused_unopened(model_copy: Path) -> None:
    (model_copy / "model.safetensors").unlink()
    # Reading this would fail in another way.
    (model_copy / "pytorch_model.bin").write_bytes(b"no pickle at all")
    with pytest.raises(InvalidModelError, match=r"got pytorch_model\.bin, a pickle, .* is refused\. Convert it"):
        LocalBackend.open(model_copy)


def test_no_weights_at_all(model_copy: Path) -> None:
    (model_copy / "model.safetensors").unlink()
    with pytest.raises(InvalidModelError, match=r"expected weights \(\*\.safetensors\), found none"):
        LocalBackend.open(model_copy)


def test_damaged_weights(model_copy: Path) -> None:
    weights = model_copy / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])
    with pytest.raises(InvalidModelError, match="can load without code of its own, got SafetensorError"):
        LocalBackend.open(model_copy)


def test_weights_that_lack_a_part_are_not_made_up(model_copy: Path) -> None:
    weights = load_file(model_copy / "model.safetensors")
    del weights["lm_head.weight"]
    save_file(weights, model_copy / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(InvalidModelError, match=r"got none for lm_head\.weight\. Take a complete model"):
        LocalBackend.open(model_copy)


def test_no_tokenizer(model_copy: Path) -> None:
    for file in ("tokenizer.json", "tokenizer_config.json"):
        (model_copy / file).unlink()
    with pytest.raises(InvalidModelError, match=r"expected a tokenizer \(such as tokenizer\.json\) .* found none"):
        LocalBackend.open(model_copy)


def edit_config(directory: Path, **changes: object) -> None:
    file = directory / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def test_models_that_bring_their_own_code_are_refused(model_copy: Path) -> None:
    (model_copy / "evil.py").write_text("raise SystemExit('ran')")
    edit_config(
        model_copy,
        model_type="evil",
        auto_map={"AutoConfig": "evil.EvilConfig", "AutoModelForCausalLM": "evil.EvilModel"},
    )
    with pytest.raises(InvalidModelError, match="can load without code of its own, got ValueError"):
        LocalBackend.open(model_copy)


def test_models_of_another_task_are_refused(tiny_backend: LocalBackend, tmp_path: Path) -> None:
    config = transformers.T5Config(vocab_size=1088, d_model=16, d_ff=16, num_layers=1, num_heads=2, d_kv=8)
    transformers.T5ForConditionalGeneration(config).save_pretrained(tmp_path)
    tiny_backend.tokenizer.save_pretrained(tmp_path)
    with pytest.raises(InvalidModelError, match="expected a causal language model that transformers"):
        LocalBackend.open(tmp_path)


def test_a_base_model_is_asked_with_raw_text(model_copy: Path) -> None:
    (model_copy / "chat_template.jinja").unlink()
    with pytest.raises(InvalidModelError, match=r'expected a chat template, found none.* template="plain"'):
        LocalBackend.open(model_copy)
    backend = LocalBackend.open(model_copy, settings=LocalSettings(template="plain"))
    assert dict(backend.answer([Prompt.of("Alien")], schema=None, sampling=GREEDY))[0].prompt_tokens == 3


def test_a_model_without_an_end_never_ends(model_copy: Path) -> None:
    edit_config(model_copy, eos_token_id=None)
    (model_copy / "generation_config.json").write_text("{}")
    file = model_copy / "tokenizer_config.json"
    file.write_text(json.dumps({k: v for k, v in json.loads(file.read_text()).items() if k != "eos_token"}))
    with pytest.raises(InvalidModelError, match="expected a token that ends answers, found none"):
        LocalBackend.open(model_copy)


def test_devices_and_number_formats(tiny_model_dir: Path) -> None:
    with pytest.raises(InvalidConfigError, match=r"device: expected auto, cpu or a GPU .* got 'tpu9'"):
        LocalBackend.open(tiny_model_dir, settings=LocalSettings(device="tpu9"))
    if not torch.cuda.is_available():
        with pytest.raises(InvalidConfigError, match="got 'cuda'"):
            LocalBackend.open(tiny_model_dir, settings=LocalSettings(device="cuda"))
    backend = LocalBackend.open(tiny_model_dir, settings=LocalSettings(dtype="bfloat16"))
    assert backend.identity.options["dtype"] == "bfloat16"
    assert dict(backend.answer([Prompt.of("Alien")], schema=None, sampling=GREEDY))[0].finish == "stop"
    with pytest.raises(ValidationError, match="dtype"):
        LocalSettings(dtype="int4")  # type: ignore[arg-type]


def adapter_of(directory: Path, out: Path) -> Path:
    """An adapter that was pushed far enough from neutral to change answers."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(directory)
    model = transformers.AutoModelForCausalLM.from_pretrained(directory)
    adapted = attach_adapter(model, tokenizer, LoraSettings(rank=2))
    weights = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, parameter in adapted.model.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.3, generator=weights)
    save_adapter(adapted, out)
    return out


def test_an_adapter_changes_answers_and_identity(
    tiny_model_dir: Path, tiny_backend: LocalBackend, tmp_path: Path
) -> None:
    settings = LocalSettings(adapter=adapter_of(tiny_model_dir, tmp_path / "adapter"))
    backend = LocalBackend.open(tiny_model_dir, settings=settings)
    assert backend.identity.revision == tiny_backend.identity.revision
    assert backend.identity.adapter is not None
    assert len(backend.identity.adapter) == 64
    sampling = GREEDY.model_copy(update={"max_tokens": 20})
    ours, theirs = (
        dict(each.answer([Prompt.of("Alien")], schema=None, sampling=sampling))[0] for each in (backend, tiny_backend)
    )
    assert ours.text != theirs.text


def test_an_adapter_of_another_base_is_refused(tiny_model_dir: Path, other_model_dir: Path, tmp_path: Path) -> None:
    settings = LocalSettings(adapter=adapter_of(other_model_dir, tmp_path / "adapter"))
    with pytest.raises(InvalidModelError, match="adapter"):
        LocalBackend.open(tiny_model_dir, settings=settings)


def test_settings_and_the_package_load_no_model_library() -> None:
    code = "import sys, whyrec.llm.local as local; local.LocalSettings(); print('transformers' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "False\n"
