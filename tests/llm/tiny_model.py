"""A causal language model of a size for tests, made from scratch in seconds: tokenizer, Llama weights, chat template.

It learns to answer a film's title with its genres and year, so that its answers have words and ends; nobody should
ask it anything else.
"""

import random
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from whyrec.data.bundled import bundled_dataset

PAD, END, ROLES = "<|pad|>", "<|end|>", ("<|system|>", "<|user|>", "<|assistant|>")
CHAT_TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>\n{{ message['content'] }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)
CONTEXT = 1024
N_TOKENS = 1024
_BATCH, _LENGTH = 16, 64


def build_tiny_model(directory: Path, *, steps: int = 80, width: int = 64, seed: int = 0) -> Path:
    """Train a tokenizer and a model on the bundled catalogue and save them.

    Args:
        directory: Where to; created.
        steps: Training steps; 0 leaves the weights random.
        width: Hidden size, a multiple of 16.
        seed: Of weights and batches.
    """
    lines = _catalogue_lines(seed)
    tokenizer = _trained_tokenizer(lines)
    model = _new_model(tokenizer, width=width, seed=seed)
    if steps:
        _train(model, tokenizer(lines).input_ids, steps=steps, seed=seed)
    model.save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    return directory


def _catalogue_lines(seed: int) -> list[str]:
    items = bundled_dataset().items.sort("item_id").select("title", "year", "genres").rows()
    lines = []
    for title, year, genres in items:
        answer = f"{', '.join(genres or ['no genre'])} ({year})"
        turns = [{"role": "user", "content": title}, {"role": "assistant", "content": answer}]
        lines.append("".join(f"<|{turn['role']}|>\n{turn['content']}{END}\n" for turn in turns).removesuffix("\n"))
    random.Random(seed).shuffle(lines)
    return lines[:4000]


def _trained_tokenizer(lines: list[str]) -> Any:
    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=N_TOKENS,
        special_tokens=[PAD, END, *ROLES],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    raw.train_from_iterator(lines, trainer)
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=raw, pad_token=PAD, eos_token=END)
    tokenizer.chat_template = CHAT_TEMPLATE
    tokenizer.model_max_length = CONTEXT
    return tokenizer


def _new_model(tokenizer: Any, *, width: int, seed: int) -> Any:
    # More rows than tokens, as published models have: code that mixes the two up must fail here.
    rows = -(-len(tokenizer) // 64) * 64 + 64
    config = transformers.LlamaConfig(
        vocab_size=rows,
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=CONTEXT,
        initializer_range=0.1,
        tie_word_embeddings=False,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return transformers.LlamaForCausalLM(config).eval()


def _train(model: Any, lines: list[list[int]], *, steps: int, seed: int) -> None:
    """Teach it the lines, joined end to end; it knows what comes after a title when it is done."""
    stream = torch.tensor([token for line in lines for token in line])
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    model.train()
    for _ in range(steps):
        starts = torch.randint(len(stream) - _LENGTH, (_BATCH, 1), generator=generator)
        batch = stream[starts + torch.arange(_LENGTH)]
        model(input_ids=batch, labels=batch).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    model.eval()
