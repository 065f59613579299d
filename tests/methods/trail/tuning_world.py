"""A few items and texts for TRAIL's training side: small enough to tokenise and to tune on in seconds."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from whyrec.data.attributes import AttributeValue
from whyrec.data.item_histories import ItemHistory
from whyrec.data.windows import Window, WindowLength
from whyrec.methods.trail.compact import CompactTemplate
from whyrec.methods.trail.config import ScratchConfig
from whyrec.methods.trail.encoding import EncodedSample, Encoder
from whyrec.methods.trail.prompts import EXPLANATION_END, EXPLANATION_START
from whyrec.methods.trail.samples import Sample
from whyrec.methods.trail.scratch import build_tokenizer

MONTH = WindowLength()
CUTOFF = datetime(2013, 11, 1, tzinfo=UTC)
ATTRIBUTES: dict[str, AttributeValue] = {"year": 2013.0, "genres": ("Drama", "Sci-Fi")}
RISING = "[Trend] Users rose to {people:-1}. [Feature] A {attr:genres}. [Integration] It holds."
FALLING = "[Trend] Users fell to {people:-1}. [Feature] From {attr:year}. [Integration] It fades."
SMALL = ScratchConfig(width=32, layers=1, heads=2, min_word_count=1, min_value_count=1, context=128)

START, BOS, END, PAD = "<|role|>", "<|bos|>", "<|end|>", "<|pad|>"
CHAT_TEMPLATE = (
    "{{ '<|bos|>' }}{% for message in messages %}<|role|>{{ message['role'] }}\n{{ message['content'] }}<|end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|role|>assistant\n{% endif %}"
)


def sample(
    *,
    item_id: str = "i1",
    users: tuple[int, ...] = (40, 1155),
    daily: tuple[int, ...] = (3, 0, 2),
    target: int | None = 12,
    attributes: dict[str, AttributeValue] | None = None,
    weight: float = 1.0,
) -> Sample:
    windows: list[Window] = []
    for _ in users:
        windows.insert(0, MONTH.preceding(windows[0].start if windows else CUTOFF))
    history = ItemHistory(
        item_id=item_id,
        title="Gravity",
        attributes=ATTRIBUTES if attributes is None else attributes,
        cutoff=CUTOFF,
        windows=tuple(windows),
        users=users,
        daily=daily,
        total_users=sum(users),
        first_seen=windows[0].start if windows else None,
    )
    return Sample(history, MONTH.following(CUTOFF), target, weight)


def compact_template(**settings: Any) -> CompactTemplate:
    return CompactTemplate(**{"known": {"genres": {"drama", "sci_fi"}, "year": {"2013"}}, **settings})


def scratch_tokenizer(template: CompactTemplate, samples: Sequence[Sample], explanations: Sequence[str]) -> Any:
    prompts = [message.content for each in samples for message in template.messages(each)]
    answers = [template.answer(score=template.score_text(1), explanation=text).text for text in explanations]
    return build_tokenizer([*prompts, *answers], attributes=["genres", "year"], config=SMALL)


def scratch_encoder(**settings: Any) -> Encoder:
    template = compact_template(**settings)
    tokenizer = scratch_tokenizer(template, [sample()], [RISING, FALLING])
    return Encoder(tokenizer, template, rendering="plain", max_tokens=128)


def encoded(encoder: Encoder, given: Sample, *, explanation: str = "") -> EncodedSample:
    score = encoder.template.score_text(float(given.target or 0))
    return encoder.encode(given, encoder.template.answer(score=score, explanation=explanation))


def chat_tokenizer(lines: Sequence[str], *, markers: bool = True) -> Any:
    """A byte-level tokenizer with a chat template that writes its own start, as published models have."""
    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=[PAD, BOS, END, START],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    raw.train_from_iterator(lines, trainer)
    raw.post_processor = processors.TemplateProcessing(single=f"{BOS} $A", special_tokens=[(BOS, raw.token_to_id(BOS))])
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=raw, pad_token=PAD, eos_token=END, bos_token=BOS)
    if markers:
        tokenizer.add_special_tokens({"additional_special_tokens": [EXPLANATION_START, EXPLANATION_END]})
    tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer


def tiny_llama(n_rows: int, *, width: int = 32) -> Any:
    config = LlamaConfig(
        vocab_size=n_rows,
        hidden_size=width,
        intermediate_size=width,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=4096,
        initializer_range=0.1,
        tie_word_embeddings=False,
        bos_token_id=None,
        eos_token_id=None,
        pad_token_id=0,
    )
    return LlamaForCausalLM(config).eval()
