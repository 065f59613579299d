"""Open a model directory or fetch one from the hub: safetensors only, no code from the model, complete or refused."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import huggingface_hub
import torch
import transformers
from huggingface_hub.errors import HfHubHTTPError
from safetensors import SafetensorError

from whyrec.errors import InvalidModelError
from whyrec.llm.base import ModelIdentity
from whyrec.llm.local.forward import RowModel, require_rows
from whyrec.llm.local.settings import LocalSettings
from whyrec.llm.lora import adapter_hash, load_adapter, merge_adapter
from whyrec.runtime.devices import chosen_device

_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")
_WANTED = ["*.json", "*.safetensors", "*.txt", "*.model", "*.jinja"]
_PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt")
_TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "tokenizer_config.json", "vocab.json", "spiece.model")


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model that is ready to answer, with all that is needed to ask it."""

    rows: RowModel
    tokenizer: Any  # one of transformers' many tokenizer classes
    identity: ModelIdentity
    n_logits: int
    """Width of the logits; it may exceed the tokens that the tokenizer knows."""
    stop_tokens: frozenset[int]
    """What ends an answer."""


def load_model(name_or_path: str | Path, settings: LocalSettings) -> LoadedModel:
    """Load model, tokenizer and adapter.

    Raises:
        InvalidModelError: If any of them is absent, damaged, unsafe, or does not fit the others.
        InvalidConfigError: If there is no such device.
    """
    directory, name, revision = _located(name_or_path, settings.revision)
    _require_complete(directory, name)
    device = chosen_device(settings.device)
    dtype = _dtype(settings.dtype, device)
    with _translated(name), quiet_transformers():
        tokenizer: Any = transformers.AutoTokenizer.from_pretrained(directory, local_files_only=True)
        model = _weights(directory, name=name, dtype=dtype)
    adapter = None
    if settings.adapter is not None:
        adapted = load_adapter(model, tokenizer, settings.adapter)
        model, tokenizer, adapter = merge_adapter(adapted), adapted.tokenizer, adapter_hash(settings.adapter)
    _require_template(tokenizer, name=name, template=settings.template)
    rows = RowModel(model.to(device).eval().requires_grad_(False))
    options = {"dtype": str(dtype).removeprefix("torch."), "template": settings.template}
    return LoadedModel(
        rows=rows,
        tokenizer=tokenizer,
        identity=ModelIdentity("local", name, revision or content_hash(directory), adapter, options),
        n_logits=require_rows(rows, name=name, n_tokens=len(tokenizer)),
        stop_tokens=_stop_tokens(model, tokenizer, name=name),
    )


def content_hash(directory: Path) -> str:
    """Hash of everything in a model directory that can affect an answer: configuration, tokenizer and weights."""
    digest = hashlib.sha256()
    for path in sorted({path for pattern in _WANTED for path in directory.glob(pattern)}):
        with path.open("rb") as file:
            digest.update(path.name.encode() + b"\0" + hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _located(name_or_path: str | Path, revision: str | None) -> tuple[Path, str, str]:
    """The directory, the name for records, and the hub's commit (empty for a directory of one's own)."""
    path = Path(name_or_path).expanduser()
    if path.is_dir():
        return path, path.resolve().name, ""
    name = str(name_or_path)
    if isinstance(name_or_path, Path) or _HUB_NAME.fullmatch(name) is None:
        raise InvalidModelError(
            f"model {name!r}: expected a model directory or the name of a model on the hub, got neither. "
            "Check the path."
        )
    try:
        fetched = huggingface_hub.snapshot_download(
            name, revision=revision, allow_patterns=_WANTED, ignore_patterns=["*/*", "consolidated*"]
        )
    except (HfHubHTTPError, httpx.HTTPError, OSError, ValueError) as error:
        reason = next(iter(str(error).splitlines()), "")[:160] or type(error).__name__
        raise InvalidModelError(
            f"model {name!r}: expected a model directory, or a model on the hub that can be fetched, got neither "
            f"({reason}). Check the name, the connection and, for gated models, HF_TOKEN."
        ) from error
    return Path(fetched), name, Path(fetched).name


def _require_complete(directory: Path, name: str) -> None:
    """Look for everything first, so that a message can say what is absent and not what failed because of it."""
    if not (directory / "config.json").is_file():
        is_adapter = (directory / "adapter_config.json").is_file()
        advice = "This is an adapter: name its base model, and this as adapter." if is_adapter else "Check the path."
        raise InvalidModelError(f"{name}: expected a model directory with config.json, found none. {advice}")
    if not any(directory.glob("*.safetensors")):
        pickled = sorted(path.name for pattern in _PICKLED for path in directory.glob(pattern))
        if pickled:
            raise InvalidModelError(
                f"{name}: expected weights as safetensors, got {pickled[0]}, a pickle, which can run code when it is "
                "loaded and is refused. Convert it where you trust it: load it with transformers and save_pretrained()."
            )
        raise InvalidModelError(f"{name}: expected weights (*.safetensors), found none. Copy the whole directory.")
    if not any((directory / file).is_file() for file in _TOKENIZER_FILES):
        raise InvalidModelError(
            f"{name}: expected a tokenizer (such as tokenizer.json) beside the weights, found none. "
            "Save it there with tokenizer.save_pretrained()."
        )


def _weights(directory: Path, *, name: str, dtype: torch.dtype) -> Any:
    loaded: Any = transformers.AutoModelForCausalLM.from_pretrained(
        directory, dtype=dtype, use_safetensors=True, local_files_only=True, output_loading_info=True
    )
    model, report = loaded
    absent = sorted(report["missing_keys"])
    if absent:  # transformers would go on with random numbers in their place
        raise InvalidModelError(
            f"{name}: expected the weights of a causal language model, got none for {_listed(absent)}. "
            "Take a complete model that generates text."
        )
    return model


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1:,} more"


@contextmanager
def _translated(name: str) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, KeyError, ImportError, RuntimeError, SafetensorError) as error:
        if isinstance(error, InvalidModelError):
            raise
        reason = " ".join(str(error).split())[:200]
        raise InvalidModelError(
            f"{name}: expected a causal language model that transformers {transformers.__version__} can load without "
            f"code of its own, got {type(error).__name__}: {reason}. Check the directory."
        ) from error


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Keep transformers' own bars and notes off the terminal: what matters is raised."""
    log: Any = transformers.utils.logging
    verbosity, bars = log.get_verbosity(), log.is_progress_bar_enabled()
    log.set_verbosity_error()
    log.disable_progress_bar()
    try:
        yield
    finally:
        log.set_verbosity(verbosity)
        if bars:
            log.enable_progress_bar()


def _dtype(wanted: str, device: torch.device) -> torch.dtype:
    if wanted != "auto":
        named: torch.dtype = getattr(torch, wanted)
        return named
    if device.type == "cpu":
        return torch.float32
    has_bfloat16 = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.bfloat16 if has_bfloat16 else torch.float16


def _require_template(tokenizer: Any, *, name: str, template: str) -> None:
    if template == "model" and not tokenizer.chat_template:
        raise InvalidModelError(
            f'{name}: expected a chat template, found none: it is a base model. Ask it with raw text: template="plain".'
        )


def _stop_tokens(model: Any, tokenizer: Any, *, name: str) -> frozenset[int]:
    said = model.generation_config.eos_token_id if model.generation_config is not None else None
    ids = {*(said if isinstance(said, list) else [said]), tokenizer.eos_token_id} - {None}
    if not ids:
        raise InvalidModelError(
            f"{name}: expected a token that ends answers, found none. Set eos_token in its tokenizer_config.json."
        )
    return frozenset(ids)
