"""The small grammar in which lists of phrases are written, and what it finds."""

import pytest

from whyrec.evaluation.verification.denials import is_denied
from whyrec.evaluation.verification.mentions import Stretch
from whyrec.evaluation.verification.phrases import Phrases, spelled_out, stem, word_list
from whyrec.evaluation.verification.traits import TraitNames


@pytest.mark.parametrize(
    ("one", "other"),
    [("move", "moving"), ("story", "stories"), ("humour", "humor"), ("laugh", "laughed"), ("stop", "stopping")],
)
def test_inflections_have_one_stem(one: str, other: str) -> None:
    assert stem(one) == stem(other)


def test_words_that_only_look_inflected_keep_their_ending() -> None:
    assert stem("evening") != stem("even")
    assert stem("something") == "something"


def test_a_pattern_stands_for_every_choice_of_its_alternatives() -> None:
    assert set(spelled_out("plot|story simple|easy_to_follow")) == {
        ("plot", "simpl"),
        ("plot", "easy", "to", "follow"),
        ("story", "simpl"),
        ("story", "easy", "to", "follow"),
    }


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a simple plot", ["simple plot"]),
        ("The plot is so simple.", ["plot is so simple"]),
        ("The plot, it is simple.", []),
        ("The plot of this one film is simple.", []),
        ("PLOTS that are simple", ["PLOTS that are simple"]),
    ],
)
def test_gaps_are_short_and_do_not_go_over_commas(text: str, found: list[str]) -> None:
    phrases = Phrases.of({"low": ["simple plot", "plot ~ simple"]})
    assert [text[hit.start : hit.end] for hit in phrases.find(text)] == found


def test_a_denial_within_a_gap_is_told() -> None:
    [hit] = Phrases.of({"low": ["plot ~ simple"]}).find("The plot is not simple.")
    assert hit.is_denied


def test_the_longest_phrase_wins_and_a_mark_wants_the_very_word() -> None:
    phrases = Phrases.of({"short": ["fun"], "long": ["fun for all"], "exact": ["giving!"]})
    assert [hit.values for hit in phrases.find("fun for all, and giving gives fun")] == [
        ("long",),
        ("exact",),
        ("short",),
    ]


def test_one_phrase_may_stand_for_several_values() -> None:
    [hit] = Phrases.of({"a": ["calm"], "b": ["calm"]}).find("calm")
    assert hit.values == ("a", "b")


@pytest.mark.parametrize(
    ("text", "denied"),
    [
        ("It has no X.", True),
        ("X plays no part.", True),
        ("It is anything but X.", True),
        ("If you want X, look elsewhere.", True),
        ("There is no shortage of X.", False),
        ("It is not only X.", False),
        ("Nothing matters more than X.", False),
        ("It has X.", False),
        ("It picks others rather than X.", True),
    ],
)
def test_denials_are_told_from_what_denies_in_form_only(text: str, denied: bool) -> None:
    start = text.index("X")
    assert is_denied(text, Stretch(0, len(text)), but=(start, start + 1)) == denied


def test_traits_are_found_by_their_words_in_any_order_and_by_a_theme_that_one_of_them_has() -> None:
    names = TraitNames.of(["a race against time", "keeps the audience laughing", "gory shocks", "creeping dread"])

    def traits(text: str) -> list[tuple[str, ...]]:
        return [hit.traits for hit in names.find(text, 0, len(text))]

    assert traits("races against the clock") == [("a race against time",)]
    assert traits("is a riot") == [("keeps the audience laughing",)]
    assert traits("is terrifying") == [], "two traits are about fright"
    assert traits("a sense of dread that creeps up") == [("creeping dread",)]


@pytest.mark.parametrize("name", ["motive_words", "aspect_words", "theme_words"])
def test_lists_of_words_can_be_read(name: str) -> None:
    def patterns(table: object) -> list[str]:
        if isinstance(table, dict):
            return [pattern for part in table.values() for pattern in patterns(part)]
        assert isinstance(table, list)
        return table

    found = patterns(word_list(name))
    assert len(found) > 50
    assert all(list(spelled_out(pattern)) for pattern in found)
