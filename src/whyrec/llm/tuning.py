"""Train a LoRA adapter through the transformers ``Trainer``: resumable, seeded, with a method's own loss if it has one.

The default loss is the likelihood of the answers, shifted by one position as it must be; prompts do not count.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor
from transformers import (
    DataCollatorForSeq2Seq,
    PreTrainedTokenizerBase,
    PrinterCallback,
    Trainer,
    TrainerState,
    TrainingArguments,
)

from whyrec.errors import InvalidConfigError
from whyrec.llm.lora import AdaptedModel
from whyrec.llm.training_runs import MarkComplete, TrainingBar, last_complete
from whyrec.runtime.strict_model import StrictModel

IGNORED = -100
"""Label of tokens that do not count in the loss."""

Loss = Callable[[Any, Mapping[str, Tensor]], Float[Tensor, ""]]
"""From model and batch (``input_ids``, ``attention_mask``, ``labels``, each "B L") to a scalar to minimise."""


class TuningSettings(StrictModel):
    """How an adapter is trained."""

    learning_rate: float = Field(default=1e-4, gt=0)
    """Peak of the schedule: linear warm-up, then linear decay to 0."""
    epochs: float = Field(default=1.0, gt=0)
    """Passes over the examples."""
    batch_size: int = Field(default=8, ge=1)
    """Examples in one forward pass."""
    accumulation: int = Field(default=1, ge=1)
    """Forward passes in one step of the optimiser."""
    warmup_share: float = Field(default=0.05, ge=0, lt=1)
    """Share of the steps that warm up."""
    weight_decay: float = Field(default=0.0, ge=0)
    """Of AdamW."""
    max_gradient_norm: float = Field(default=1.0, gt=0)
    """Gradients are clipped to this norm."""
    checkpoint_steps: int = Field(default=200, ge=1)
    """Steps between checkpoints: a killed run loses at most so many."""
    seed: int = Field(default=0, ge=0)
    """Of the order of examples and of dropout."""


@dataclass(frozen=True, slots=True)
class TrainingExample:
    """A prompt with the answer to learn, as tokens."""

    input_ids: tuple[int, ...]
    n_prompt: int
    """How many of the tokens are the prompt's."""


@dataclass(frozen=True, slots=True)
class TuningReport:
    """What a training run did."""

    steps: int
    losses: tuple[float, ...]
    """Mean training loss over each tenth of the run (each step of a short one)."""
    seconds: float
    """Of this call; a resumed run counts from where it went on."""


def tokenise_example(tokenizer: PreTrainedTokenizerBase, prompt: str, answer: str) -> TrainingExample:
    """Join a rendered prompt and its answer, and end with the end-of-sequence token.

    Prompt and answer are tokenised apart, so that in training the model sees exactly the prompt tokens that it will
    see when it is asked.
    """
    before = tokenizer(prompt, add_special_tokens=False)["input_ids"]
    after = tokenizer(answer, add_special_tokens=False)["input_ids"]
    return TrainingExample((*before, *after, cast(int, tokenizer.eos_token_id)), n_prompt=len(before))


def tune(
    adapted: AdaptedModel,
    examples: Sequence[TrainingExample],
    settings: TuningSettings,
    *,
    checkpoints: Path,
    loss: Loss | None = None,
) -> TuningReport:
    """Train the adapter in place, going on from the last complete checkpoint if there is one.

    Args:
        adapted: The adapter to train.
        examples: What to learn.
        settings: How.
        checkpoints: Where checkpoints are kept; remove it once the adapter is saved.
        loss: The method's own loss; by default the likelihood of the answers.

    Raises:
        InvalidConfigError: If there are no examples.
    """
    if not examples:
        raise InvalidConfigError("tuning: expected at least one example, got none. Check the data and its cut-off.")
    started = time.perf_counter()
    trainer = _AdapterTrainer(
        model=adapted.model,
        args=_arguments(settings, checkpoints, device=adapted.model.device),
        train_dataset=cast(Any, [_row(example) for example in examples]),
        data_collator=DataCollatorForSeq2Seq(adapted.tokenizer, label_pad_token_id=IGNORED),
        processing_class=adapted.tokenizer,
        callbacks=[TrainingBar("tuning", tells="loss"), MarkComplete()],
    )
    trainer.own_loss = loss
    trainer.remove_callback(PrinterCallback)  # it would print every log line on stdout
    done = last_complete(checkpoints)
    trainer.train(resume_from_checkpoint=None if done is None else str(done))
    adapted.model.eval()
    return TuningReport(trainer.state.global_step, _tenths(trainer.state), time.perf_counter() - started)


class _AdapterTrainer(Trainer):
    own_loss: Loss | None = None

    # The Trainer names its options when it calls.
    def compute_loss(self, model: Any, inputs: Any, **options: Any) -> Any:  # type: ignore[override]
        if self.own_loss is None:
            return super().compute_loss(model, inputs, **options)
        return self.own_loss(model, inputs)


def _arguments(settings: TuningSettings, checkpoints: Path, *, device: torch.device) -> TrainingArguments:
    on_gpu = device.type == "cuda"
    return TrainingArguments(
        output_dir=str(checkpoints),
        learning_rate=settings.learning_rate,
        num_train_epochs=settings.epochs,
        per_device_train_batch_size=settings.batch_size,
        gradient_accumulation_steps=settings.accumulation,
        warmup_steps=settings.warmup_share,  # below 1 it is a share
        weight_decay=settings.weight_decay,
        max_grad_norm=settings.max_gradient_norm,
        save_steps=settings.checkpoint_steps,
        save_total_limit=2,
        logging_steps=1,
        seed=settings.seed,
        data_seed=settings.seed,
        bf16=on_gpu and torch.cuda.is_bf16_supported(),
        use_cpu=not on_gpu,
        dataloader_pin_memory=on_gpu,
        remove_unused_columns=False,
        report_to=[],
        disable_tqdm=True,
    )


def _row(example: TrainingExample) -> dict[str, list[int]]:
    ids = list(example.input_ids)
    return {
        "input_ids": ids,
        "attention_mask": [1] * len(ids),
        "labels": [IGNORED] * example.n_prompt + ids[example.n_prompt :],
    }


def _tenths(state: TrainerState) -> tuple[float, ...]:
    losses = [float(entry["loss"]) for entry in state.log_history if "loss" in entry]
    parts = torch.tensor(losses, dtype=torch.float64).tensor_split(min(10, len(losses))) if losses else ()
    return tuple(float(part.mean()) for part in parts)
