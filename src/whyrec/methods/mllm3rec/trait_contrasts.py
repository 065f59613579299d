"""Words that make two traits different however alike they sound: embeddings put men beside women, and not beside for.

With the packaged sentence encoder "great for men" and "great for women" have a cosine of .90, "easy to clean" and
"simple to clean" one of .88. English alone.
"""

import re
from collections.abc import Mapping

_WORDS: Mapping[str, str] = {
    "negation": "not no non never without free isn't doesn't won't avoids",
    "less": "removes remove reduces reduce reducing prevents prevent fights minimizes lowers less",
    "more": "adds add adding improves improve improving increases boosts enhances enhancing more",
    "male": "men man men's male him husband dad father boy boys",
    "female": "women woman women's female her wife mom mother girl girls ladies",
    "child": "children child child's kid kids toddler toddlers boy boys girl girls",
    "baby": "baby babies infant infants newborn newborns",
    "teenager": "teen teens teenager teenagers",
    "adult": "adult adults grown-ups",
    "pet": "pet pets dog dogs cat cats",
    "young": "young younger toddler toddlers",
    "old": "old older elderly senior seniors mature",
    "inside": "indoor indoors inside",
    "outside": "outdoor outdoors outside",
    "dry": "dry dryness",
    "oily": "oily greasy oil-prone",
    "sensitive": "sensitive",
    "wet": "wet damp",
    "hair": "hair hairs curls scalp",
    "skin": "skin complexion",
    "nails": "nail nails cuticles",
    "lips": "lip lips",
    "eyes": "eye eyes eyelashes lashes brows",
    "face": "face facial",
    "hands": "hand hands",
    "feet": "foot feet heels",
    "teeth": "teeth gums mouth",
    "body": "body back",
    "light": "light lightweight mild sheer",
    "strong": "strong heavy firm intense full heavy-duty",
    "soft": "soft softens",
    "hard": "hard hardens rigid",
    "warm": "warm hot warming",
    "cold": "cold cool cooling fresh",
    "small": "small tiny compact mini",
    "large": "large big oversized",
    "day": "day daytime",
    "night": "night nighttime overnight",
    "beginner": "beginner beginners novices",
    "expert": "expert experts professional professionals advanced",
    "alone": "solo alone single",
    "together": "group groups family families friends together multiplayer",
    "home": "home household",
    "office": "office workplace work",
    "school": "school classroom classrooms students teachers",
    "travel": "travel travelling traveling trips",
}
_CLASSES: Mapping[str, frozenset[str]] = {
    word: frozenset(name for name, words in _WORDS.items() if word in words.split())
    for words in _WORDS.values()
    for word in words.split()
}
_WORD = re.compile(r"[\w']+(?:-[\w']+)*")


def contrasts_in(phrase: str) -> frozenset[str]:
    """Which of the classes of telling words a phrase holds: two phrases with different ones are two traits.

    A hyphenated word counts as a whole and by its parts: "fragrance-free" holds a negation.
    """
    words = {word for found in _WORD.findall(phrase.casefold()) for word in (found, *found.split("-"))}
    return frozenset().union(*(_CLASSES.get(word, frozenset()) for word in words))
