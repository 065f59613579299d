"""TRL's ``GRPOTrainer`` with prompts that are made when they are asked, our sampling, and the caller's advantages."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from trl.trainer.grpo_config import GRPOConfig as TrlConfig
from trl.trainer.grpo_trainer import GRPOTrainer

from whyrec.errors import TrainingError
from whyrec.llm.base import SamplingConfig
from whyrec.llm.grammar import Grammars
from whyrec.llm.local.generation import finished_rows
from whyrec.llm.local.loading import LoadedModel
from whyrec.llm.local.policy import Policy
from whyrec.llm.local.policy_config import GrpoConfig
from whyrec.llm.local.rollouts import Asking, Crediting, Graded, Output, Rewarding
from whyrec.llm.local.settings import LocalSettings
from whyrec.llm.structured import OutputSchema

TOLD = "told/"
"""Before the names of the caller's figures in the log."""
_MOST_STEPS = 1_000_003
"""Seeds of two runs are so far apart."""


class RewardTrainer(GRPOTrainer):
    """TRL's trainer with our prompts, sampling and advantages."""

    def take(self, policy: Policy, *, ask: Asking, reward: Rewarding, credit: Crediting, config: GrpoConfig) -> None:
        """Say what is asked and how it is judged; right after the trainer is made."""
        self._policy, self._ask, self._reward, self._credit, self._settings = policy, ask, reward, credit, config
        self._loaded: LoadedModel = policy.loaded()
        loaded = self._loaded
        self._grammars = Grammars(loaded.tokenizer, n_logits=loaded.n_logits, stop_tokens=sorted(loaded.stop_tokens))

    # TRL's methods carry no types.
    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        self._questions = [int(row["question"]) for row in inputs]
        self._asked = {question: self._ask(question) for question in dict.fromkeys(self._questions)}
        texts = {question: self._policy.text(asked.messages) for question, asked in self._asked.items()}
        batch: dict[str, Any] = super()._generate_and_score_completions(
            [row | {"prompt": texts[question]} for row, question in zip(inputs, self._questions, strict=True)]
        )
        rows = zip(batch["completion_ids"], batch["completion_mask"].bool(), strict=True)
        tokens = [row[is_own].tolist() for row, is_own in rows]
        credit = self._credit(Graded(self._questions, self._outputs, tokens, self._rewards))
        figures = {"idle_share": credit.idle_share} | {f"{TOLD}{name}": value for name, value in credit.told.items()}
        for name, value in figures.items():
            self._metrics["train"][name].append(value)
        batch["advantages"] = credit.advantages.to(self._rewards.device)
        return batch

    def _tokenize_prompts(self, prompts: list[str]) -> tuple[list[list[int]], None, dict[str, Any]]:
        # TRL would put a model's first token before a chat template that has written it already.
        return self._policy.encode(prompts), None, {}

    def _generate_single_turn(self, prompt_ids: list[list[int]], *_: Any, **__: Any) -> tuple[list[list[int]], None]:
        config = self._settings
        # Another seed in every step, and the same again for a run that goes on.
        seed = config.seed * _MOST_STEPS + self.state.global_step
        self._policy.model.eval()
        rows = finished_rows(
            self._loaded,
            prompt_ids,
            samples=range(len(prompt_ids)),
            settings=LocalSettings(),
            sampling=SamplingConfig(temperature=config.temperature, max_tokens=config.max_output_tokens, seed=seed),
            schemas=self._forms() if config.is_forced else None,
            grammars=self._grammars,
        )
        # A form that the tokenizer cannot write leaves nothing, which is an output that ends at once.
        outputs = {row.position: row.answer or [min(self._loaded.stop_tokens)] for row in rows}
        self._policy.model.train()
        return [outputs[place] for place in range(len(prompt_ids))], None

    def _forms(self) -> list[OutputSchema]:
        forms = [self._asked[question].form for question in self._questions]
        assert None not in forms, "forced outputs need a form for every question"
        return cast(list[OutputSchema], forms)

    def _calculate_rewards(self, inputs: Any, prompts: Any, *written: Any) -> Float[Tensor, "N 1"]:
        completions, completion_ids_list = written
        stop_tokens = self._loaded.stop_tokens
        outputs = [
            Output(text, is_cut=tokens[-1] not in stop_tokens)
            for text, tokens in zip(completions, completion_ids_list, strict=True)
        ]
        self._outputs = outputs
        rewards = self._reward(self._questions, outputs)
        if not all(map(math.isfinite, rewards)):
            raise TrainingError(
                f"update {self.state.global_step + 1}: expected rewards that are numbers, got "
                f"{next(reward for reward in rewards if not math.isfinite(reward))}. Check the reward model."
            )
        self._rewards = torch.tensor(rewards, dtype=torch.float32, device=self.accelerator.device)
        return self._rewards[:, None]


class AfterStep(TrainerCallback):
    """Calls back after every update, before a checkpoint is kept."""

    def __init__(self, call: Callable[[int], None]) -> None:
        """Take who is called with the number of the update."""
        self._call = call

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, *, model: Any = None, **_: Any
    ) -> None:
        """Call back."""
        self._call(state.global_step)
        model.train()  # whoever has asked it has put it into use


def trl_arguments(config: GrpoConfig, directory: Path, *, n_steps: int, device: torch.device) -> TrlConfig:
    """Our settings in TRL's words."""
    on_gpu = device.type == "cuda"
    n_outputs = config.group_size * config.prompts_per_step
    return TrlConfig(
        output_dir=str(directory),
        max_steps=n_steps,
        num_generations=config.group_size,
        per_device_train_batch_size=config.outputs_at_once,
        gradient_accumulation_steps=n_outputs // config.outputs_at_once,
        learning_rate=config.learning_rate,
        lr_scheduler_type=config.schedule,
        max_grad_norm=config.max_gradient_norm,
        # The objective as it was published; TRL's own default weighs long outputs more.
        loss_type="grpo",
        beta=config.kl_weight,
        epsilon=config.clip,
        temperature=config.temperature,
        max_completion_length=config.max_output_tokens,
        # Ours replace its advantages; this one looks at nothing.
        scale_rewards="none",
        shuffle_dataset=False,
        # Dropout would let the model that learns differ from the one that wrote.
        disable_dropout=True,
        gradient_checkpointing=config.gradient_checkpointing,
        bf16=on_gpu and torch.cuda.is_bf16_supported(),
        use_cpu=not on_gpu,
        dataloader_pin_memory=on_gpu,
        save_steps=config.checkpoint_steps,
        save_total_limit=2,
        logging_steps=1,
        seed=config.seed,
        data_seed=config.seed,
        report_to=[],
        disable_tqdm=True,
    )
