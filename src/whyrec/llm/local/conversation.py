"""A conversation as the text that a local model reads: the same for asking it and for training it."""

from collections.abc import Sequence
from typing import Any, Literal

from jinja2 import TemplateError

from whyrec.errors import InvalidModelError
from whyrec.llm.base import Message


def conversation_text(
    tokenizer: Any,  # one of transformers' many classes
    messages: Sequence[Message],
    *,
    template: Literal["model", "plain"],
    name: str,
) -> str:
    """Render a conversation up to where the model's answer follows.

    Where the assistant has the last word, the answer has begun already and the model goes on with it.

    Args:
        tokenizer: Whose chat template is used.
        messages: The conversation.
        template: ``model`` for the chat template, ``plain`` to join the contents by a blank line.
        name: What the model is called in messages.

    Raises:
        InvalidModelError: If the template refuses the conversation, such as one with a system message.
    """
    if template == "plain":
        return "\n\n".join(message.content for message in messages)
    *asked, last = messages
    begun = last.content if last.role == "assistant" else None
    turns = [{"role": message.role, "content": message.content} for message in (messages if begun is None else asked)]
    try:
        text: str = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    except TemplateError as error:
        roles = ", ".join(message.role for message in messages)
        raise InvalidModelError(
            f"{name}: expected a conversation that its chat template takes, got one of {roles} "
            f"({str(error)[:100]}). Put the instruction into the user's message."
        ) from error
    return text + (begun or "")
