"""LoRA adapters through PEFT: attach, save, reload and merge. Training them is ``tuning.py``.

A saved adapter carries a record of the base model that it was trained on, so that it cannot be put on another one:
PEFT itself would accept any model with matching module names. Markers such as ``<answer>`` become special tokens of
which only their own rows are trained; the embedding table is never shrunk, and grows only if they do not fit.
"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from pydantic import Field, ValidationError
from transformers import AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from whyrec.errors import InvalidConfigError, InvalidModelError
from whyrec.runtime.atomic import atomic_directory
from whyrec.runtime.strict_model import StrictModel

RECORD = "whyrec_adapter.json"
_WEIGHTS = "adapter_model.safetensors"
_CONFIG = "adapter_config.json"
_SAMPLES = 64
# Loading the same weights as float16 or bfloat16 moves a value by less than this share of it.
_ROUNDING = 0.01


class LoraSettings(StrictModel):
    """Shape of a LoRA adapter."""

    rank: int = Field(default=8, ge=1)
    """Rank of the two factors of each update."""
    alpha: float = Field(default=16.0, gt=0)
    """The update is scaled by alpha / rank."""
    dropout: float = Field(default=0.05, ge=0, lt=1)
    """Dropout on the input of the update."""
    target_modules: tuple[str, ...] = ()
    """Names of the linear modules to adapt, such as q_proj; all but the output head if empty."""
    markers: tuple[str, ...] = ()
    """Texts that become one token each, with trainable rows."""


class AdapterRecord(StrictModel):
    """What an adapter remembers of its base model."""

    format: Literal[1] = 1
    base: str
    """Name of the base model, for messages."""
    shapes: str
    """Hash of the names and shapes of all its parameters."""
    samples: tuple[float, ...]
    """One value of each of some parameters."""
    markers: tuple[str, ...]
    rows: int
    """Rows of the embedding table with the markers."""


@dataclass(frozen=True, slots=True)
class AdaptedModel:
    """A model with an adapter on it, and the tokenizer that knows its markers."""

    model: PeftModel
    tokenizer: PreTrainedTokenizerBase
    record: AdapterRecord


def attach_adapter(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, settings: LoraSettings) -> AdaptedModel:
    """Put a new, still neutral adapter on a model, and its markers into the tokenizer.

    Args:
        model: The base model; its own weights are frozen.
        tokenizer: Gains the markers.
        settings: Shape of the adapter.

    Raises:
        InvalidConfigError: If a target module is not in the model.
    """
    record = _record(model, markers=settings.markers)
    rows = _make_room(model, tokenizer, settings.markers)
    ids = cast("list[int]", tokenizer.convert_tokens_to_ids(list(settings.markers)))
    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,  # type: ignore[arg-type]  # peft scales by any number, its annotation says int
        lora_dropout=settings.dropout,
        target_modules=list(settings.target_modules) or "all-linear",
        trainable_token_indices=_marker_rows(model, ids) if ids else None,
        task_type="CAUSAL_LM",
    )
    try:
        adapted = cast(PeftModel, get_peft_model(model, config))
    except ValueError as error:
        raise InvalidConfigError(
            f"target_modules: expected names of linear modules of {record.base}, got "
            f"{', '.join(settings.target_modules)}. Look at the model's modules, or leave it empty for all."
        ) from error
    return AdaptedModel(adapted, tokenizer, record.model_copy(update={"rows": rows}))


def save_adapter(adapted: AdaptedModel, directory: Path) -> None:
    """Write adapter, tokenizer and record; complete or not at all.

    Raises:
        OutputExistsError: If the directory holds something already.
        OutputWriteError: If it cannot be written.
    """
    with atomic_directory(directory) as partial:
        write_adapter(adapted, partial)


def write_adapter(adapted: AdaptedModel, directory: Path) -> None:
    """Write adapter, tokenizer and record into a directory that the caller makes safe."""
    # PEFT would ask the hub whether the base's embedding has changed; the markers' rows are in the adapter anyway.
    adapted.model.save_pretrained(str(directory), safe_serialization=True, save_embedding_layers=False)
    adapted.tokenizer.save_pretrained(str(directory))
    (directory / RECORD).write_text(adapted.record.model_dump_json(indent=1) + "\n", encoding="utf-8")


def load_adapter(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, directory: Path, *, trainable: bool = False
) -> AdaptedModel:
    """Put a saved adapter on its base model.

    Args:
        model: The base model, as it was before the adapter was attached.
        tokenizer: The base model's; the adapter's own, with its markers, takes its place where there is one.
        directory: What ``save_adapter`` wrote, or any PEFT adapter with safetensors weights.
        trainable: Go on training it.

    Raises:
        InvalidModelError: If there is no adapter, its weights are pickled, or it was made for another model.
    """
    if not (directory / _CONFIG).is_file():
        raise InvalidModelError(f"{directory}: expected a LoRA adapter ({_CONFIG}), found none. Check the path.")
    if not (directory / _WEIGHTS).is_file():
        raise InvalidModelError(
            f"{directory}: expected weights in {_WEIGHTS}, found none; pickled weights are never loaded. "
            "Save the adapter as safetensors."
        )
    record = read_record(directory)
    found = _record(model, markers=())
    if record is not None:
        _require_same_base(record, found, directory)
        _resize(model, record.rows)
    try:
        adapted = PeftModel.from_pretrained(model, str(directory), is_trainable=trainable)
    except (RuntimeError, ValueError, KeyError) as error:
        # PEFT's own message spans hundreds of lines; its first says which module.
        raise InvalidModelError(
            f"{directory}: expected an adapter of {_name(model)}, got one of another shape "
            f"({(str(error).splitlines() or ['?'])[0][:120]}). Take the model that it was trained on."
        ) from error
    if (directory / "tokenizer_config.json").is_file():
        tokenizer = AutoTokenizer.from_pretrained(str(directory), local_files_only=True, trust_remote_code=False)
    return AdaptedModel(adapted, tokenizer, found if record is None else record)


def merge_adapter(adapted: AdaptedModel) -> PreTrainedModel:
    """Fold the adapter into the weights: an ordinary model without PEFT, which any server can load."""
    return cast(PreTrainedModel, adapted.model.merge_and_unload())


def save_merged(adapted: AdaptedModel, directory: Path) -> None:
    """Merge and write an ordinary model directory; complete or not at all.

    Raises:
        OutputExistsError: If the directory holds something already.
        OutputWriteError: If it cannot be written.
    """
    with atomic_directory(directory) as partial:
        merge_adapter(adapted).save_pretrained(str(partial))
        adapted.tokenizer.save_pretrained(str(partial))


def adapter_hash(directory: Path) -> str:
    """Hash of an adapter's configuration and weights: part of a model's identity."""
    digest = hashlib.sha256()
    for name in (_CONFIG, _WEIGHTS):
        with (directory / name).open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def read_record(directory: Path) -> AdapterRecord | None:
    """What a saved adapter remembers of its base; None for an adapter made elsewhere.

    Raises:
        InvalidModelError: If the record is damaged or of a newer format.
    """
    path = directory / RECORD
    if not path.is_file():
        return None
    try:
        return AdapterRecord.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except (ValidationError, ValueError) as error:
        raise InvalidModelError(
            f"{path}: expected an adapter record of format 1, got something else. Save the adapter again, or upgrade."
        ) from error


def _name(model: PreTrainedModel) -> str:
    return Path(model.config.name_or_path or "").name or "a model without a name"


def _parameters(model: PreTrainedModel) -> Mapping[str, torch.Tensor]:
    return dict(model.named_parameters())


def _record(model: PreTrainedModel, *, markers: Sequence[str]) -> AdapterRecord:
    parameters = _parameters(model)
    names = sorted(parameters)
    table = model.get_input_embeddings().weight
    return AdapterRecord(
        base=_name(model),
        shapes=_shapes(parameters),
        samples=tuple(_middle(parameters[name]) for name in names[:: max(1, len(names) // _SAMPLES)]),
        markers=tuple(markers),
        rows=cast(torch.Tensor, table).shape[0],
    )


def _shapes(parameters: Mapping[str, torch.Tensor]) -> str:
    text = json.dumps(sorted((name, list(tensor.shape)) for name, tensor in parameters.items()))
    return hashlib.sha256(text.encode()).hexdigest()


def _middle(tensor: torch.Tensor) -> float:
    return float(tensor.detach().reshape(-1)[tensor.numel() // 2])


def _require_same_base(record: AdapterRecord, found: AdapterRecord, directory: Path) -> None:
    same = found.shapes == record.shapes and all(
        math.isclose(a, b, rel_tol=_ROUNDING, abs_tol=1e-6) for a, b in zip(found.samples, record.samples, strict=True)
    )
    if not same:
        why = "other weights" if found.shapes == record.shapes else "another shape"
        raise InvalidModelError(
            f"{directory}: expected the base model that this adapter was trained on ({record.base}), got {found.base}, "
            f"which has {why}. Load that one."
        )


def _make_room(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, markers: Sequence[str]) -> int:
    if markers:
        tokenizer.add_special_tokens({"additional_special_tokens": list(markers)}, replace_extra_special_tokens=False)
    return _resize(model, len(cast(Any, tokenizer)) if markers else 0)


def _resize(model: PreTrainedModel, needed: int) -> int:
    rows = cast(torch.Tensor, model.get_input_embeddings().weight).shape[0]
    # Tables are often padded beyond the tokenizer; resizing to its length would shrink them.
    if needed <= rows:
        return rows
    model.resize_token_embeddings(needed, mean_resizing=False)
    return needed


def _marker_rows(model: PreTrainedModel, ids: list[int]) -> dict[str, list[int]]:
    names = {id(module): name.rpartition(".")[2] for name, module in model.named_modules()}
    tables = [model.get_input_embeddings()]
    head = cast(Any, model).get_output_embeddings()
    if head is not None and head.weight is not tables[0].weight:
        tables.append(head)
    return {names[id(table)]: ids for table in tables}
