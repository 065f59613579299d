"""A small shop for the tests of M-LLM3REC: what it sells, what people took, and models that answer by a script."""

import json
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import polars as pl

from whyrec.data.dataset import Dataset
from whyrec.data.item_lines import ItemText
from whyrec.data.reviews import Review
from whyrec.llm.base import Prompt
from whyrec.llm.model import LanguageModel
from whyrec.llm.scripted import ScriptedBackend
from whyrec.llm.usage import Price
from whyrec.methods.mllm3rec.artefacts import Motivation, Profile
from whyrec.methods.mllm3rec.contexts import UserContext

START = datetime(2020, 1, 1, tzinfo=UTC)
ITEMS = {
    "soap": ItemText("soap", "Oat Soap", {"brand": "Acme", "description": "mild, for sensitive skin"}),
    "pen": ItemText("pen", "Pen, 12-Pack", {"description": "writes for years"}),
    "kite": ItemText("kite", "Kite", {"description": "fun in the wind"}),
    "mute": ItemText("mute", ""),
}


def at(days: float) -> datetime:
    return START + timedelta(days=days)


def context(*taken: str | Review, user_id: str | None = "u", stated: str = "") -> UserContext:
    history = [it if isinstance(it, Review) else Review(it, at(place)) for place, it in enumerate(taken)]
    return UserContext(user_id, tuple(history), stated)


def profile(*motivations: tuple[str, int], user_id: str | None = "u", evidence: Sequence[str] = ("soap",)) -> Profile:
    """Motivations of a key and a strength, all resting on the same evidence."""
    found = tuple(
        Motivation(key, strength, f"It shows {key}." if strength else "", tuple(evidence) if strength else ())
        for key, strength in motivations
    )
    return Profile(user_id, found, "test")


def answer(*motivations: tuple[str, int, Sequence[str]]) -> str:
    """A model's answer: key, strength and lines of the history."""
    entries = [
        {"dimension": key, "strength": strength, "sentence": f"It shows {key}.", "evidence": list(lines)}
        for key, strength, lines in motivations
    ]
    return json.dumps({"motivations": entries})


def scripted(script: Sequence[str] | Callable[[Prompt], str], **settings: object) -> LanguageModel:
    price = settings.pop("price", None)
    backend = ScriptedBackend(script, **settings)  # type: ignore[arg-type]
    return LanguageModel(backend, price=price if isinstance(price, Price) else None)


def asked(model: LanguageModel) -> list[Prompt]:
    backend = model.backend
    assert isinstance(backend, ScriptedBackend)
    return backend.asked


def last_words(prompt: Prompt) -> str:
    return prompt.messages[-1].content


def lines_of(prompt: Prompt, tag: str) -> list[str]:
    """The lines of a block of the last message."""
    found = re.search(rf"<{tag}>\n(.*?)\n</{tag}>", last_words(prompt), re.DOTALL)
    assert found is not None, last_words(prompt)
    return found[1].splitlines()


def shop() -> Dataset:
    """Two users: u took soap, pen and kite on days 0, 1 and 2; v took kite on day 1 and soap on day 3."""
    log = pl.DataFrame(
        [
            ("u", "soap", at(0), 5.0, "No itch\nany more"),
            ("u", "pen", at(1), None, None),
            ("u", "kite", at(2), 4.0, "for my <b>son</b>"),
            ("v", "kite", at(1), 3.0, ""),
            ("v", "soap", at(3), 5.0, "again"),
        ],
        schema={
            "user_id": pl.String,
            "item_id": pl.String,
            "timestamp": pl.Datetime("us", "UTC"),
            "rating": pl.Float64,
            "review": pl.String,
        },
        orient="row",
    )
    items = pl.DataFrame({"item_id": list(ITEMS), "title": [it.title for it in ITEMS.values()]})
    return Dataset.from_frames(log, items, name="shop")
