"""How long English texts are and how easily they read: words, sentences, syllables, Flesch's reading ease.

Our own count of syllables: the library for it (textstat) fetches a pronouncing dictionary from the network at first
use. Spelling tells syllables well enough for a mean over many texts; it is no measure of a single short one.
"""

import re

_WORD = re.compile(r"\S*\w\S*")
_LETTERS = re.compile(r"[^\W\d_]+")
_VOWELS = re.compile(r"[aeiouyàâäéèêëîïôöùûü]+", re.IGNORECASE)
_SILENT = re.compile(r"(?<![aeiouyl])es?$|(?<=[aeiouy]l)es?$|(?<![aeioutdy])ed$", re.IGNORECASE)
_SOUNDED = re.compile(r"(?:[sxzcg]|[cs]h)es$", re.IGNORECASE)


def word_count(text: str) -> int:
    """Words of a text: what stands between white space and holds a letter or digit; "80%" is one."""
    return len(_WORD.findall(text))


def syllable_count(word: str) -> int:
    """Syllables of an English word by its spelling, at least 1; a number has one for each digit.

    Groups of vowels, less a silent "e", "es" or "ed" at the end: "climbed" 1, "wanted" 2, "releases" 3, "title" 2.
    """
    digits = sum(character.isdigit() for character in word)
    spoken = sum(_syllables(letters) for letters in _LETTERS.findall(word))
    return max(1, digits + spoken)


def flesch_reading_ease(text: str, *, n_sentences: int) -> float | None:
    """Flesch's reading ease: about 100 is very easy, 60 to 70 plain English, below 30 hard; not bounded.

    ``206.835 - 1.015 * words / sentences - 84.6 * syllables / words``. Flesch, A New Readability Yardstick (1948).

    Args:
        text: English.
        n_sentences: How many it has, at least 1 where there are words.

    Returns:
        None for a text without words.
    """
    words = _WORD.findall(text)
    if not words:
        return None
    syllables = sum(syllable_count(word) for word in words)
    return 206.835 - 1.015 * len(words) / max(n_sentences, 1) - 84.6 * syllables / len(words)


def _syllables(letters: str) -> int:
    groups = len(_VOWELS.findall(letters))
    # What a silent ending leaves must hold a vowel of its own: "the", "be".
    is_silent = _SILENT.search(letters) is not None and _SOUNDED.search(letters) is None
    return max(1, groups - is_silent)
