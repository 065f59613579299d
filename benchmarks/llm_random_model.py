"""Language models with random weights for benchmarks: what they say is noise, how fast they say it is not."""

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
CONTEXT = 2048


def save_random_model(
    directory: Path, *, n_layers: int, width: int, n_tokens: int = 4096, end_weight: float = 1.0, seed: int = 0
) -> Path:
    """Write a Llama with random weights and a tokenizer of the bundled film titles.

    Args:
        directory: Where to; created.
        n_layers: Layers.
        width: Hidden size, a multiple of 64.
        n_tokens: Size of the vocabulary.
        end_weight: Factor on the output weights of the end token; above 1 it comes up earlier.
        seed: Of the weights.
    """
    tokenizer = _tokenizer(n_tokens)
    config = transformers.LlamaConfig(
        vocab_size=-(-len(tokenizer) // 64) * 64 + 64,
        hidden_size=width,
        intermediate_size=int(2.75 * width) // 64 * 64,
        num_hidden_layers=n_layers,
        num_attention_heads=width // 64,
        num_key_value_heads=max(1, width // 128),
        max_position_embeddings=CONTEXT,
        initializer_range=0.1,
        tie_word_embeddings=False,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    torch.manual_seed(seed)
    model: Any = transformers.LlamaForCausalLM(config)
    with torch.no_grad():
        model.lm_head.weight[tokenizer.eos_token_id] *= end_weight
    model.save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    return directory


def _tokenizer(n_tokens: int) -> Any:
    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=n_tokens,
        special_tokens=[PAD, END, *ROLES],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    raw.train_from_iterator(bundled_dataset().items["title"].to_list(), trainer)
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=raw, pad_token=PAD, eos_token=END)
    tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer
