"""A language model of a fraction of a million parameters, made from scratch, that can be tuned by rewards.

Its tokens are the words of the texts that it is made for. A warm-up teaches it what answers look like; what they should
say is left to the rewards.
"""

from collections.abc import Iterable, Sequence

import torch
from tokenizers import Regex, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from whyrec.errors import InvalidConfigError
from whyrec.llm.local.policy import Policy
from whyrec.llm.local.policy_config import ScratchConfig
from whyrec.llm.scratch import untrained_llama, word_tokenizer
from whyrec.llm.tuning import IGNORED, TrainingExample, tokenise_example

# A word takes the space before it along, so that tokens joined end to end are the text.
_WORD = Regex(r"\n| ?(?:</?\w+>|[\w'’]+(?:-[\w'’]+)*|[^\w\s])")


def tiny_policy(texts: Iterable[str], *, config: ScratchConfig, seed: int) -> Policy:
    """Make an untrained model that reads and writes the words of some texts.

    Args:
        texts: Prompts and answers such as it will see.
        config: Its shape.
        seed: Of its weights.
    """
    tokenizer = _tokenizer(texts, context=config.context)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = untrained_llama(
            tokenizer,
            width=config.width,
            layers=config.layers,
            heads=config.heads,
            initializer_range=config.initializer_range,
        )
    return Policy(model, tokenizer, "plain", "scratch")


def warm_up(
    policy: Policy, pairs: Sequence[tuple[str, str]], *, steps: int, batch_size: int, learning_rate: float, seed: int
) -> float:
    """Teach a model answers to prompts, by their likelihood.

    Args:
        policy: All of its weights are trained.
        pairs: Rendered prompts and answers.
        steps: Updates of AdamW; the rate rises over the first tenth and then falls to 0.
        batch_size: Pairs in each.
        learning_rate: At its peak.
        seed: Of the draws.

    Returns:
        The loss over the last tenth of the steps, in nats per token.

    Raises:
        InvalidConfigError: If there are no pairs.
    """
    if not pairs:
        raise InvalidConfigError("warm-up: expected pairs of prompt and answer, got none. Give some.")
    examples = [tokenise_example(policy.tokenizer, prompt, answer) for prompt, answer in pairs]
    model, rng = policy.model, torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=0.0)
    peak = max(steps // 10, 1)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / peak, (steps - step) / max(steps - peak, 1))
    )
    model.train()
    losses = []
    for _ in range(steps):
        drawn = torch.randint(len(examples), (batch_size,), generator=rng).tolist()
        loss = model(**_padded([examples[n] for n in drawn], padding=policy.tokenizer.pad_token_id)).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(float(loss.detach()))
    model.eval()
    last = losses[-max(steps // 10, 1) :]
    return sum(last) / len(last)


def _tokenizer(texts: Iterable[str], *, context: int) -> PreTrainedTokenizerFast:
    splitter = pre_tokenizers.Split(_WORD, behavior="isolated")
    words = {piece for text in texts for piece, _ in splitter.pre_tokenize_str(text)}
    return word_tokenizer(sorted(words), splitter=splitter, context=context)


def _padded(examples: Sequence[TrainingExample], *, padding: int) -> dict[str, torch.Tensor]:
    width = max(len(example.input_ids) for example in examples)
    ids = torch.full((len(examples), width), padding)
    labels = torch.full((len(examples), width), IGNORED)
    for row, example in enumerate(examples):
        tokens = torch.tensor(example.input_ids)
        ids[row, : len(tokens)] = tokens
        labels[row, example.n_prompt : len(tokens)] = tokens[example.n_prompt :]
    # What stands behind a row's end is seen by no token that counts.
    return {"input_ids": ids, "labels": labels}
