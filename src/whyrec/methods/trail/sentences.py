"""The sentences that training texts are made of, for a model too small to make its own.

With facts named by references, a catalogue's explanations are made of some hundred sentences. A model of a fraction of
a million parameters learns when to say which, but splices them when it may write anything; decoding therefore keeps to
sentences that it was trained on. Which of them is true of an item is still the model's choice, and is verified.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from whyrec.llm.structured import Regex
from whyrec.methods.trail.prompts import FREE_FORM, SECTIONS, in_one_line

Sentences = Mapping[str, Sequence[Sequence[str]]]
"""By section: those that open it, then those that follow as the second, and so on."""

# Names are references here, so that a full stop ends a sentence.
_BETWEEN = re.compile(r"(?<=\.) ")
_SECTION = re.compile(r"\[(\w+)\] ([^\[]*)")


def known_sentences(texts: Iterable[str], *, at_least: int = 3) -> dict[str, list[list[str]]]:
    """Collect the sentences of texts with references.

    Args:
        texts: In their three sections.
        at_least: Texts in which a sentence must stand at its place.

    Returns:
        By section and place, sorted.
    """
    counts: dict[str, list[Counter[str]]] = {name: [] for name in SECTIONS}
    for text in texts:
        for name, body in _SECTION.findall(in_one_line(text)):
            for place, told in enumerate(_BETWEEN.split(body.strip())):
                if place == len(counts[name]):
                    counts[name].append(Counter())
                counts[name][place][told] += 1
    return {
        name: [sorted(told for told, n in counter.items() if n >= at_least) for counter in places]
        for name, places in counts.items()
    }


def explanation_form(sentences: Sentences) -> Regex:
    """What an explanation must look like: three sections, of known sentences where there are any.

    Args:
        sentences: From ``known_sentences``; a section that has none may say anything.
    """
    if not sentences or not all(sentences.get(name) and sentences[name][0] for name in SECTIONS):
        return FREE_FORM
    return Regex(" ".join(rf"\[{name}\] {_of_places(sentences[name])}" for name in SECTIONS))


def _of_places(places: Sequence[Sequence[str]]) -> str:
    first, *rest = places
    more = f"(?: {_of_places(rest)})?" if rest and rest[0] else ""
    return f"(?:{'|'.join(map(_literal, first))}){more}"


def _literal(text: str) -> str:
    return re.sub(r"([\\.^$*+?{}\[\]()|])", r"\\\1", text)
