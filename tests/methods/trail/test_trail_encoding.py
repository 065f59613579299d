"""Texts as tokens: training reads what inference will, and every token is worth what it should be."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tuning_world import (
    FALLING,
    RISING,
    chat_tokenizer,
    encoded,
    sample,
    scratch_encoder,
    tiny_llama,
)

from whyrec.data.windows import Window, month_after
from whyrec.errors import PromptTooLongError
from whyrec.llm.base import Message, Prompt
from whyrec.llm.choices import slots_at
from whyrec.llm.local import LocalBackend
from whyrec.llm.local.settings import LocalSettings
from whyrec.methods.trail.encoding import Encoder, collate
from whyrec.methods.trail.prompts import EXPLANATION_END, EXPLANATION_START, Order, PaperTemplate
from whyrec.methods.trail.samples import Sample
from whyrec.methods.trail.scratch import save_backbone

ORDERS: list[Order] = ["score_first", "explanation_first"]
MARKERS = (EXPLANATION_START, EXPLANATION_END)
LESSON = '[Trend] It "rose" to 40 \u2013 caf\u00e9. [Feature] \u4e2d\u6587. [Integration] So.'


def paper_encoder(*, order: Order = "score_first", markers: bool = True, **settings: Any) -> Encoder:
    template = PaperTemplate("movies", order=order)
    lines = [message.content for message in template.messages(sample())]
    tokenizer = chat_tokenizer([*lines, template.answer(score="12", explanation=RISING).text] * 2, markers=markers)
    return Encoder(tokenizer, template, rendering="model", **({"max_tokens": 2000} | settings))


PAPER = {order: paper_encoder(order=order) for order in ORDERS}
COMPACT = {order: scratch_encoder(order=order) for order in ORDERS}


def shown(encoder: Encoder, ids: np.ndarray) -> str:
    """The text of tokens; a byte of a letter that is cut in two is shown as such."""
    found: str = encoder.tokenizer.decode(ids.tolist())
    return found


def save(encoder: Encoder, directory: Path) -> LocalBackend:
    model = tiny_llama(len(encoder.tokenizer), width=16)
    save_backbone(model, encoder.tokenizer, directory)
    return LocalBackend.open(directory, settings=LocalSettings(template=encoder.rendering, device="cpu"))


@pytest.mark.parametrize("encoder", [PAPER["score_first"], COMPACT["score_first"]], ids=["paper", "compact"])
def test_training_begins_with_the_tokens_of_inference(encoder: Encoder, tmp_path: Path) -> None:
    """Prompt and begun answer, rendered and tokenised by the backend, are the beginning of the training text."""
    backend = save(encoder, tmp_path / "model")
    answer = encoder.template.answer(score="n12" if encoder is COMPACT["score_first"] else "12", explanation=RISING)
    for begun in (answer.text[: answer.explanation[0]] + EXPLANATION_START, ""):
        prompt = Prompt((*encoder.template.messages(sample()), Message("assistant", begun)))
        assert backend.texts([prompt]) == [encoder.text(sample(), begun=begun)]
        (tokens,) = backend.encode([prompt])
        assert encoder.encode(sample(), answer).ids[: len(tokens)].tolist() == tokens


def test_the_prompt_ends_where_an_answer_is_asked_for() -> None:
    paper, compact = PAPER["score_first"], COMPACT["score_first"]
    bare = paper.tokenizer.apply_chat_template(
        [{"role": message.role, "content": message.content} for message in paper.template.messages(sample())],
        tokenize=False,
        add_generation_prompt=True,
    )
    assert paper.text(sample(), begun="{") == bare + "{"
    assert paper.text(sample(), begun="") == bare
    (message,) = compact.template.messages(sample())
    assert compact.text(sample(), begun="score ") == f"{message.content}\n\nscore "


@pytest.mark.parametrize("encoder", [PAPER["score_first"], COMPACT["score_first"]], ids=["paper", "compact"])
def test_the_score_is_read_where_it_was_learnt(encoder: Encoder) -> None:
    """The slot that the readout opens holds the same tokens as the training text, up to the score and through it."""
    choices = [encoder.template.score_text(count) for count in (3, 12, 25)]
    text = encoder.text(sample(), begun=encoder.template.score_prefix())
    (slot,) = slots_at(encoder.tokenizer, [text], choices, adds_special_tokens=encoder.rendering == "plain")
    found = encoded(encoder, sample(target=12), explanation=RISING)
    (path,) = (path for path, choice in slot.spelled.items() if choice == 1)
    assert found.ids[: len(slot.stem) + len(path)].tolist() == [*slot.stem, *path]
    assert found.score_place == len(slot.stem)


def test_a_chat_template_writes_the_beginning_once_and_plain_text_gets_it_from_the_tokenizer() -> None:
    chat = PAPER["score_first"]
    assert encoded(chat, sample()).ids.tolist().count(chat.tokenizer.bos_token_id) == 1
    plain = Encoder(chat.tokenizer, chat.template, rendering="plain", max_tokens=2000)
    found = encoded(plain, sample())
    assert found.ids[0] == chat.tokenizer.bos_token_id
    assert found.ids.tolist().count(chat.tokenizer.bos_token_id) == 1
    assert found.token_weights[0] == 0


def test_the_weights_of_a_compact_text_by_hand() -> None:
    """``score`` .1, `` n12`` and the marker that ends it 1, the explanation 0, the end of the text .1."""
    encoder = COMPACT["score_first"]
    found = encoded(encoder, sample(target=12), explanation=" Users rose.")
    (message,) = encoder.template.messages(sample())
    n_prompt = len(encoder.tokenizer(f"{message.content}\n\n").input_ids)
    words = encoder.tokenizer.convert_ids_to_tokens(found.ids[n_prompt:].tolist())
    assert words == ["score", " n12", "<exp_start>", " Users", " rose", ".", "<exp_end>", "<end>"]
    np.testing.assert_allclose(found.token_weights[n_prompt:], [0.1, 1, 1, 0, 0, 0, 0, 0.1])
    assert not found.token_weights[:n_prompt].any()
    assert found.is_told[n_prompt:].tolist() == [False, False, True, True, True, True, True, False]
    assert not found.is_told[:n_prompt].any()
    assert (found.score_place, found.count, found.weight, found.has_text) == (n_prompt + 1, 12.0, 1.0, True)


def test_a_score_at_the_end_is_ended_by_the_end_of_the_text() -> None:
    """With the explanation first, and without one, nothing but the last token tells 1 from 12."""
    for order, explanation, words in (
        ("explanation_first", " Users", ["<exp_start>", " Users", "<exp_end>", "score", " n12", "<end>"]),
        ("score_first", "", ["score", " n12", "<end>"]),
    ):
        found = encoded(COMPACT[order], sample(target=12), explanation=explanation)
        n = len(words)
        assert COMPACT[order].tokenizer.convert_ids_to_tokens(found.ids[-n:].tolist()) == words
        np.testing.assert_allclose(found.token_weights[-n:], [0, 0, 0, 0.1, 1, 1][-n:])
        assert found.has_text == bool(explanation)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("explanation", [RISING, LESSON])
def test_spans_and_weights_of_the_papers_answer(order: Order, explanation: str) -> None:
    encoder = PAPER[order]
    answer = encoder.template.answer(score="12", explanation=explanation)
    found = encoder.encode(sample(), answer)
    assert shown(encoder, found.ids[found.is_told]) == answer.text[slice(*answer.explanation)]
    learnt = shown(encoder, found.ids[found.token_weights == 1])
    assert learnt.startswith("12")
    assert learnt[2] == '"'
    # Tokens that are neither: what stands before and behind both, and the end of the text.
    scaffold = found.token_weights == np.float32(0.1)
    assert shown(encoder, found.ids[scaffold]) == (
        answer.text.replace(answer.text[slice(*answer.explanation)], "").replace(learnt, "", 1) + "<|end|>"
    )
    assert found.token_weights[-1] == np.float32(0.1)
    assert not found.token_weights[found.is_told].any()
    prompt = encoder.text(sample(), begun="")
    n_prompt = len(encoder.tokenizer(prompt, add_special_tokens=False).input_ids)
    assert not found.token_weights[:n_prompt].any()
    assert (found.token_weights[n_prompt:] > 0).sum() == len(found.ids) - n_prompt - found.is_told.sum()


def test_tokens_that_reach_over_a_border_belong_to_the_more_important_side() -> None:
    """Without markers of its own a tokenizer may join a quote to a marker: all of such a token is the explanation's."""
    encoder = paper_encoder(markers=False)
    answer = encoder.template.answer(score="12", explanation=RISING)
    found = encoder.encode(sample(), answer)
    told = shown(encoder, found.ids[found.is_told])
    assert answer.text[slice(*answer.explanation)] in told
    assert shown(encoder, found.ids[found.token_weights == 1]).startswith("12")


def test_markers_without_words_are_no_explanation() -> None:
    """The paper's answer has both markers even where there is nothing to say; nobody shall learn to say nothing."""
    found = encoded(PAPER["score_first"], sample(), explanation="")
    assert not found.has_text
    assert not found.is_told.any()
    markers = np.isin(found.ids, PAPER["score_first"].tokenizer.convert_tokens_to_ids(list(MARKERS)))
    is_answer = np.arange(len(found.ids)) > found.score_place
    assert (markers & is_answer).sum() == 2
    assert not found.token_weights[markers].any()


def test_a_text_that_is_too_long_is_refused() -> None:
    compact = COMPACT["score_first"]
    whole = len(encoded(compact, sample(), explanation=RISING).ids)
    just, short = (replace(compact, max_tokens=whole - less) for less in (0, 1))
    assert len(encoded(just, sample(), explanation=RISING).ids) == whole
    with pytest.raises(PromptTooLongError, match=f"item 'i1': expected at most {whole - 1} tokens, got {whole}"):
        encoded(short, sample(), explanation=RISING)


@given(st.none() | st.integers(0, 500), st.integers(0, 500))
def test_nothing_of_the_target_stands_before_the_score(target: int | None, other: int) -> None:
    """The planted leak: two targets give texts that differ at the score and nowhere before it."""
    encoder = COMPACT["score_first"]
    first, second = (encoded(encoder, sample(target=each), explanation=RISING) for each in (target, other))
    place = first.score_place
    assert second.score_place == place
    assert first.ids[:place].tolist() == second.ids[:place].tolist()
    assert (first.ids[place] == second.ids[place]) == (
        encoder.template.score_text(target or 0) == encoder.template.score_text(other)
    )


def test_texts_side_by_side_are_padded_on_the_right_and_weigh_what_their_samples_do() -> None:
    encoder = COMPACT["score_first"]
    long = encoded(encoder, sample(target=40, weight=2.0), explanation=RISING)
    short = encoded(encoder, sample(users=(), target=0, weight=3.5))
    batch = collate([long, short], padding=7)
    n_long, n_short = len(long.ids), len(short.ids)
    assert n_short < n_long
    assert batch.ids.tolist() == [long.ids.tolist(), [*short.ids.tolist(), *[7] * (n_long - n_short)]]
    assert batch.is_token.tolist() == [[1] * n_long, [1] * n_short + [0] * (n_long - n_short)]
    np.testing.assert_allclose(batch.token_weights[0], 2 * long.token_weights)
    np.testing.assert_allclose(batch.token_weights[1, :n_short], 3.5 * short.token_weights)
    assert not batch.token_weights[1, n_short:].any()
    assert batch.is_told[0].tolist() == long.is_told.tolist()
    assert not batch.is_told[1].any()
    assert batch.score_places.tolist() == [long.score_place, short.score_place]
    assert batch.counts.tolist() == [40.0, 0.0]


def test_a_batch_on_another_device_is_the_same() -> None:
    batch = collate([encoded(COMPACT["score_first"], sample(), explanation=FALLING)], padding=0)
    moved = batch.to(torch.device("cpu"))
    for name in ("ids", "is_token", "token_weights", "is_told", "score_places", "counts"):
        assert torch.equal(getattr(moved, name), getattr(batch, name))


def test_a_long_history_is_cut_for_the_answer_and_the_answer_never() -> None:
    def with_windows(n: int) -> Sample:
        starts = [datetime(2001 + at // 12, at % 12 + 1, 1, tzinfo=UTC) for at in range(n)]
        windows = [Window(start, month_after(start)) for start in starts]
        history = replace(sample().history, windows=tuple(windows), users=tuple(range(100, 100 + n)))
        return replace(sample(), history=history)

    words = _Words()
    long = with_windows(30)
    roomy = Encoder(words, PaperTemplate(domain="movies"), rendering="plain", max_tokens=2000, answer_tokens=100)
    tight = replace(roomy, max_tokens=words.count(roomy.messages(long)) + 100 - 12)
    full, cut = roomy.messages(long)[-1].content, tight.messages(long)[-1].content
    assert "2001-01: 100" in full
    assert "2001-01: 100" not in cut
    assert "2003-06: 129" in cut
    assert words.count(tight.messages(long)) <= tight.max_tokens - 100
    assert tight.messages(with_windows(3)) == tight.template.messages(with_windows(3))


class _Words:
    """A tokenizer that takes words for tokens."""

    def __call__(self, text: str, **_: object) -> dict[str, list[str]]:
        return {"input_ids": text.split()}

    def count(self, messages: tuple[Message, ...]) -> int:
        return len("\n\n".join(message.content for message in messages).split())
