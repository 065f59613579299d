"""Parts of a small causal language model that is made from scratch, for places where no weights can be had.

Its tokens are words. Model and tokenizer are of the usual classes and end in the usual files, so that everything that
works on a downloaded model works on it.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from tokenizers import Tokenizer, decoders, models
from tokenizers.normalizers import Normalizer
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

PAD, END, UNKNOWN = "<pad>", "<end>", "<unknown>"


def word_tokenizer(
    words: Iterable[str],
    *,
    splitter: Any,  # compiled, and of no common type
    context: int,
    markers: Sequence[str] = (),
    normalizer: Normalizer | None = None,
) -> PreTrainedTokenizerFast:
    """Make words into tokens; tokens that are joined end to end are the text again.

    Args:
        words: With the space before them, where there is one; repeated ones count once.
        splitter: Cuts texts into words; a pre-tokenizer.
        context: The most tokens of prompt and answer together.
        markers: Special tokens beside ``PAD``, ``END`` and ``UNKNOWN``.
        normalizer: Of texts before they are cut.
    """
    special = [PAD, END, UNKNOWN, *markers]
    numbers = {word: place for place, word in enumerate(dict.fromkeys([*special, *words]))}
    raw = Tokenizer(models.WordLevel(numbers, unk_token=UNKNOWN))
    if normalizer is not None:
        raw.normalizer = normalizer
    raw.pre_tokenizer = splitter
    raw.decoder = decoders.Fuse()
    raw.add_special_tokens(special)
    tokenizer = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=raw, pad_token=PAD, eos_token=END, unk_token=UNKNOWN, clean_up_tokenization_spaces=False
    )
    tokenizer.model_max_length = context
    return tokenizer


# The model is transformers' class, which carries few types.
def untrained_llama(
    tokenizer: PreTrainedTokenizerFast, *, width: int, layers: int, heads: int, initializer_range: float
) -> Any:
    """Make an untrained model with torch's current random numbers.

    Args:
        tokenizer: Whose tokens it reads; the table is filled up to a multiple of 64 rows, as those of published models
            are.
        width: Columns of its states.
        layers: Blocks.
        heads: Attention heads.
        initializer_range: Spread of its weights.
    """
    shape = LlamaConfig(
        vocab_size=-(-len(tokenizer) // 64) * 64,
        hidden_size=width,
        intermediate_size=3 * width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=heads,
        max_position_embeddings=tokenizer.model_max_length,
        initializer_range=initializer_range,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return LlamaForCausalLM(shape).eval()  # type: ignore[no-untyped-call]
