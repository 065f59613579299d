"""A small causal language model made from scratch, so that the whole method runs where no weights can be had.

The tokenizer is built from the training texts: a word is a token, and so are every count (``number_words``) and every
reference to a fact (``references``). The model is a Llama of a fraction of a million parameters in the usual files, so
that everything that works on a downloaded model works on it.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import Regex, normalizers, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from whyrec.llm.local.loading import quiet_transformers
from whyrec.llm.scratch import END, PAD, UNKNOWN, untrained_llama, word_tokenizer
from whyrec.methods.trail.compact import attribute_words
from whyrec.methods.trail.config import ScratchConfig
from whyrec.methods.trail.number_words import number_words, word_values
from whyrec.methods.trail.prompts import EXPLANATION_END, EXPLANATION_START
from whyrec.methods.trail.references import vocabulary
from whyrec.methods.trail.samples import Sample

_BUMPS = 24
_BREAK = "\n\n"
"""Between a prompt and its answer."""
SPECIAL = (PAD, END, UNKNOWN, EXPLANATION_START, EXPLANATION_END)

# A word takes the space before it along, so that tokens joined end to end are the text; digits stand alone.
_WORD = Regex(r"\n+| ?(?:\{[^{}]+\}|n\d+\b|\d|[^\W\d]+(?:['’\-][^\W\d]+)*|[^\w\s])")


def known_values(samples: Sequence[Sample], *, config: ScratchConfig) -> dict[str, frozenset[str]]:
    """Attribute values that enough samples show, by attribute.

    Args:
        samples: Training samples.
        config: How many are enough.
    """
    counts: dict[str, Counter[str]] = {}
    for sample in samples:
        for name, value in sample.history.attributes.items():
            counts.setdefault(name, Counter()).update(set(attribute_words(value)))
    found = {
        name: frozenset(word for word, n in counter.items() if n >= config.min_value_count)
        for name, counter in sorted(counts.items())
    }
    return {name: words for name, words in found.items() if words}


def build_tokenizer(
    texts: Iterable[str], *, attributes: Collection[str], config: ScratchConfig
) -> PreTrainedTokenizerFast:
    """Make words of training texts into tokens.

    Args:
        texts: Prompts and answers.
        attributes: Names of the catalogue's attributes, for the references to them.
        config: How many words.
    """
    splitter, normalizer = _pre_tokenizer(), normalizers.NFC()
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update({piece for piece, _ in splitter.pre_tokenize_str(normalizer.normalize_str(text))})
    frequent = [word for word, n in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))]
    kept = [word for word in frequent if counts[word] >= config.min_word_count][: config.max_words]
    always = [
        _BREAK,
        *(f"{space}{word}" for word in (*number_words(), *vocabulary(attributes)) for space in ("", " ")),
        *(f"{space}{digit}" for digit in range(10) for space in ("", " ")),
    ]
    return word_tokenizer(
        [*always, *kept],
        splitter=splitter,
        context=config.context,
        markers=(EXPLANATION_START, EXPLANATION_END),
        normalizer=normalizer,
    )


# The model is transformers' class, which carries few types.
def build_model(tokenizer: PreTrainedTokenizerFast, *, config: ScratchConfig, seed: int) -> Any:
    """Make an untrained model.

    Only the vectors of number words are not pure chance: near counts begin with near vectors. Without that, a small
    model spends most of its training on learning the order of the numbers.

    Args:
        tokenizer: Whose tokens it reads; the table is filled up to a multiple of 64 rows, as those of published models
            are.
        config: Its shape.
        seed: Of its weights.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = untrained_llama(
            tokenizer, width=config.width, layers=config.layers, heads=config.heads, initializer_range=0.05
        )
        _order_numbers(model, tokenizer)
    return model


def save_backbone(model: Any, tokenizer: PreTrainedTokenizerFast, directory: Path) -> None:
    """Write model and tokenizer in the usual files, for ``--llm local:DIRECTORY``."""
    with quiet_transformers():
        model.save_pretrained(directory)
        tokenizer.save_pretrained(directory)


@torch.no_grad()
def _order_numbers(model: Any, tokenizer: PreTrainedTokenizerFast) -> None:
    """Give number words vectors that change smoothly along log1p: random mixtures of bumps."""
    table = model.get_input_embeddings().weight
    scale = torch.log1p(torch.tensor(word_values(), dtype=torch.float32))
    centres = torch.linspace(0, float(scale[-1]), _BUMPS)
    bumps = torch.exp(-0.5 * ((scale[:, None] - centres) / (centres[1] - centres[0])) ** 2)
    vectors = (bumps / bumps.norm(dim=1, keepdim=True)) @ torch.randn(_BUMPS, table.shape[1])
    for space in ("", " "):
        ids = tokenizer.convert_tokens_to_ids([f"{space}{word}" for word in number_words()])
        table[ids] = vectors * model.config.initializer_range


def _pre_tokenizer() -> Any:  # the class is compiled and carries no types
    return pre_tokenizers.Sequence([pre_tokenizers.Split(_WORD, behavior="isolated")])
