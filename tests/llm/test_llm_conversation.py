"""The text that a local model reads: a whole conversation, or one whose answer has begun."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whyrec.errors import InvalidModelError
from whyrec.llm.base import Message, Prompt
from whyrec.llm.local import LocalBackend
from whyrec.llm.local.conversation import conversation_text

ASKED = (Message("system", "Be brief."), Message("user", "How is it?"))
OPENED = "<|system|>\nBe brief.<|end|>\n<|user|>\nHow is it?<|end|>\n<|assistant|>\n"


def text(backend: LocalBackend, *messages: Message, template: Any = "model") -> str:
    return conversation_text(backend.tokenizer, messages, template=template, name="tiny")


def test_a_question_ends_where_the_answer_follows(tiny_backend: LocalBackend) -> None:
    assert text(tiny_backend, *ASKED) == OPENED
    assert text(tiny_backend, *ASKED, template="plain") == "Be brief.\n\nHow is it?"


@pytest.mark.parametrize("begun", ["It is", "<|end|>", " ", ""])
def test_an_answer_that_has_begun_is_gone_on_with(tiny_backend: LocalBackend, begun: str) -> None:
    """Nothing stands behind what the assistant said last, not even where it has said nothing yet."""
    last = Message("assistant", begun)
    assert text(tiny_backend, *ASKED, last) == OPENED + begun
    assert text(tiny_backend, *ASKED, last, template="plain") == f"Be brief.\n\nHow is it?\n\n{begun}"


def test_earlier_answers_are_closed_turns(tiny_backend: LocalBackend) -> None:
    again = (*ASKED, Message("assistant", "Good."), Message("user", "Why?"))
    assert text(tiny_backend, *again) == (OPENED + "Good.<|end|>\n<|user|>\nWhy?<|end|>\n<|assistant|>\n")


@given(st.text(st.characters(codec="utf-8"), max_size=30))
def test_a_longer_beginning_only_adds_to_the_text(begun: str) -> None:
    """So that what is asked about at a score is the beginning of what was trained on."""

    class Turns:
        def apply_chat_template(self, turns: list[dict[str, str]], **options: bool) -> str:
            assert options == {"tokenize": False, "add_generation_prompt": True}
            return "".join(f"[{turn['role']}] {turn['content']}\n" for turn in turns) + "[assistant] "

    for template in ("model", "plain"):
        short, long = (
            conversation_text(Turns(), (*ASKED, Message("assistant", said)), template=template, name="any")  # type: ignore[arg-type]
            for said in (begun, begun + " and more")
        )
        assert long == short + " and more"


def test_the_backend_reads_the_same(tiny_backend: LocalBackend) -> None:
    prompts = [Prompt(ASKED), Prompt((*ASKED, Message("assistant", "It is")))]
    assert tiny_backend.texts(prompts) == [text(tiny_backend, *prompt.messages) for prompt in prompts]


def test_a_template_that_refuses_is_translated(tiny_backend: LocalBackend) -> None:
    class Strict:
        def apply_chat_template(self, turns: list[dict[str, str]], **_: bool) -> str:
            found: str = tiny_backend.tokenizer.apply_chat_template(
                turns, tokenize=False, chat_template="{{ raise_exception('no system role') }}"
            )
            return found

    with pytest.raises(
        InvalidModelError, match=r"tiny: expected a conversation .* got one of system, user \(no system"
    ):
        conversation_text(Strict(), ASKED, template="model", name="tiny")
