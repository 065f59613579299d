"""What items do for people, as a language model puts it: the trait encoder (MOTE, M-LLM3REC §3.2)."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from whyrec.data.item_lines import ItemText, neutral, text_of
from whyrec.llm.base import Prompt, SamplingConfig
from whyrec.llm.model import LanguageModel
from whyrec.llm.reading import read_answer
from whyrec.methods.mllm3rec.answers import (
    parse_traits,
    traits_schema,
)
from whyrec.methods.mllm3rec.artefacts import ItemTraits
from whyrec.methods.mllm3rec.prompts import Exemplar, trait_prompt, trait_question
from whyrec.methods.mllm3rec.trait_rules import Brands, clean_traits

TRAIT_SAMPLING = SamplingConfig(max_tokens=200)
_LONGEST_CANDIDATE = 200
"""Characters of a description among thirty."""


@dataclass(frozen=True)
class TraitExtractor:
    """Asks a language model for the traits of items (M-LLM3REC Eq. (7)). An item costs one question, ever."""

    model: LanguageModel
    items: Mapping[str, ItemText]
    """The catalogue in words, from ``item_texts``."""
    brands: Brands = field(default_factory=Brands.none)
    """What no trait may name."""
    exemplars: tuple[Exemplar, ...] = ()
    """Solved examples, from ``trait_exemplar``. Chosen: two at most (M13)."""
    max_item_chars: int = 600
    """The longest description that is shown."""
    sampling: SamplingConfig = TRAIT_SAMPLING
    failures: Counter[str] = field(default_factory=Counter)
    """Why answers gave no traits, over all calls: ``no text``, ``empty``, ``cut``, ``form``, ``nothing left``."""
    dropped: Counter[str] = field(default_factory=Counter)
    """Why phrases were left out, over all calls; see ``clean_traits``."""

    def extract(self, item_ids: Sequence[str]) -> dict[str, ItemTraits]:
        """Ask for the traits of items; an item of which the catalogue says nothing is not asked about.

        Returns:
            By item_id, in the order of asking. Items without usable traits are absent: their descriptions stand in.

        Raises:
            UnknownIdError: If an item is not in the catalogue.
            PromptTooLongError: Before anything is asked, if a prompt leaves no room for its answer.
            EndpointError: If a server fails for good; what was answered before is in the cache.
        """
        texts = {item_id: text_of(item_id, self.items) for item_id in dict.fromkeys(item_ids)}
        known = {item_id: text for item_id, text in texts.items() if text.is_known}
        self.failures["no text"] += len(texts) - len(known)
        prompts = [
            Prompt(trait_prompt(text.line(max_chars=self.max_item_chars), exemplars=self.exemplars))
            for text in known.values()
        ]
        completions = self.model.complete(prompts, schema=traits_schema(), sampling=self.sampling)
        found = {}
        for item_id, completion in zip(known, completions, strict=True):
            phrases = read_answer(completion, parse_traits, self.failures)
            traits = None if phrases is None else self._cleaned(item_id, phrases)
            if traits is not None:
                found[item_id] = traits
        return found

    def _cleaned(self, item_id: str, phrases: Sequence[str]) -> ItemTraits | None:
        cleaned = clean_traits(phrases, item_id=item_id, brands=self.brands)
        self.dropped.update(cleaned.dropped)
        if not cleaned.kept:
            self.failures["nothing left"] += 1
            return None
        return ItemTraits(item_id, cleaned.kept, self.model.writer)


def trait_exemplar(
    traits: ItemTraits, *, items: Mapping[str, ItemText], user_id: str | None = None, max_item_chars: int = 600
) -> Exemplar:
    """Make a solved example of an item.

    Args:
        traits: What to say of it, by a person or by another writer.
        items: The catalogue in words.
        user_id: The training user whose item it is, if it was chosen from a history (M13).
        max_item_chars: The longest description that is shown.

    Raises:
        UnknownIdError: If the item is not in the catalogue.
    """
    line = text_of(traits.item_id, items).line(max_chars=max_item_chars)
    return Exemplar(trait_question(line), json.dumps({"traits": list(traits.traits)}, ensure_ascii=False), user_id)


def candidate_text(item_id: str, traits: Mapping[str, ItemTraits], *, items: Mapping[str, ItemText]) -> str:
    """An item as it is shown to the ranker: its traits, or its description where it has none (Table 5: w/o MOTE).

    Raises:
        UnknownIdError: If it has no traits and is not in the catalogue.
    """
    if item_id in traits:
        return "; ".join(map(neutral, traits[item_id].traits))
    return text_of(item_id, items).line(max_chars=_LONGEST_CANDIDATE)
