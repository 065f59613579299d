"""Texts of a language model: verified, asked for again with what failed named, and in the end written offline."""

from collections import Counter
from collections.abc import Callable, Sequence

from curec_films import END, FILMS, films, history

from whyrec.evaluation.asking import ATTEMPTS
from whyrec.llm.base import Prompt
from whyrec.llm.model import LanguageModel
from whyrec.llm.scripted import ScriptedBackend
from whyrec.methods.curec.histories import Interaction
from whyrec.methods.curec.model_writers import LanguageModelPatternWriter, LanguageModelReasonWriter
from whyrec.methods.curec.offline import OfflineWriter
from whyrec.methods.curec.offline.config import OfflineTextConfig
from whyrec.methods.curec.patterns import PatternBook
from whyrec.methods.curec.reasons import ReasonRequest, ReasonStore
from whyrec.methods.curec.texts import Texts, texts_by_writer
from whyrec.methods.curec.writers import Writers, writers_of

WRITER = OfflineWriter(OfflineTextConfig(keyword_min_items=2)).fit(films(), until=END)
TRUE = "- This user likes westerns."
FALSE = "- This user likes comedies."
VAGUE = "- This user is someone."
WESTERNS = history("abcd")


def writers(
    script: Sequence[str] | Callable[[Prompt], str], *, verify: bool = True, room: int | None = None
) -> tuple[Writers, ScriptedBackend]:
    backend = ScriptedBackend(script, context_tokens=room)
    return writers_of(WRITER, items=FILMS, model=LanguageModel(backend), verify=verify), backend


def pattern_writer(found: Writers) -> LanguageModelPatternWriter:
    assert isinstance(found.patterns, LanguageModelPatternWriter)
    return found.patterns


def test_a_true_text_is_the_model_s_and_verified() -> None:
    found, backend = writers([TRUE])
    [pattern] = found.patterns.write_patterns([WESTERNS])
    assert (pattern.text, pattern.writer, pattern.verified) == (TRUE, "scripted", True)
    assert len(backend.asked) == 1


def test_what_failed_is_named_when_the_text_is_asked_for_again() -> None:
    found, backend = writers([FALSE, TRUE])
    [pattern] = found.patterns.write_patterns([WESTERNS])
    assert (pattern.text, pattern.writer, pattern.verified) == (TRUE, "scripted", True)
    first, again = backend.asked
    assert again.messages[: len(first.messages)] == first.messages
    said, told = again.messages[len(first.messages) :]
    assert (said.role, said.content, told.role) == ("assistant", FALSE, "user")
    failed = WRITER.verify(FALSE, history=WESTERNS.item_ids).unsupported
    assert failed
    assert all(f'- "{wrong.text}": {wrong.problem}' in told.content for wrong in failed)
    counts = pattern_writer(found).counts
    assert (counts.asked, counts.attempts, counts.refused, counts.at_once, counts.by_model) == (1, 2, 1, 0, 1)
    assert counts.refused_kinds == Counter(wrong.kind for wrong in failed)


def test_a_text_that_never_holds_is_written_offline() -> None:
    found, backend = writers(lambda _: FALSE)
    [pattern] = found.patterns.write_patterns([WESTERNS])
    assert len(backend.asked) == ATTEMPTS
    assert (pattern.writer, pattern.verified) == ("offline", True)
    assert WRITER.verify(pattern.text, history=WESTERNS.item_ids).verified
    assert pattern_writer(found).counts.by_model == 0


def test_what_cannot_be_checked_may_rank_and_is_not_called_verified() -> None:
    found, backend = writers([VAGUE])
    [pattern] = found.patterns.write_patterns([WESTERNS])
    assert (pattern.text, pattern.writer, pattern.verified) == (VAGUE, "scripted", False)
    assert len(backend.asked) == 1


def test_without_verification_the_first_text_is_taken() -> None:
    found, backend = writers([FALSE], verify=False)
    [pattern] = found.patterns.write_patterns([WESTERNS])
    assert (pattern.text, pattern.writer, pattern.verified) == (FALSE, "scripted", False)
    assert len(backend.asked) == 1


def test_only_those_that_failed_are_asked_again() -> None:
    comedies = history("efgh", user_id="v")

    def answer(prompt: Prompt) -> str:
        return FALSE if len(prompt.messages) == 2 else TRUE

    found, backend = writers(answer)
    written = found.patterns.write_patterns([WESTERNS, comedies])
    assert [(one.user_id, one.text) for one in written] == [("u", TRUE), ("v", FALSE)]
    assert len(backend.asked) == 3


def test_reasons_are_checked_against_what_was_known_before() -> None:
    """Bitter Creek is a western that came after: a reason that counts it in is refused."""
    request = ReasonRequest(Interaction("u", "b", END), history("a"), None)
    early, late = (
        "“Alpha Trail (1961)” is a western too.",
        "After “Bitter Creek (1962)” and “Dusty Road (1971)”, a western.",
    )
    found, _ = writers([late, early])
    [reason] = found.reasons.write_reasons([request])
    assert isinstance(found.reasons, LanguageModelReasonWriter)
    assert (reason.text, reason.writer, reason.verified) == (early, "scripted", True)
    assert found.reasons.counts.refused == 1


def test_an_update_that_does_not_hold_is_left_out() -> None:
    request = ReasonRequest(Interaction("u", "b", END), history("a"), None)
    answers = [
        '{"pattern": ["westerns"], "reason": "It is a comedy."}',
        '{"pattern": ["westerns"], "reason": "It is a western."}',
    ]
    for answer, n in zip(answers, (0, 1), strict=True):
        found, _ = writers([answer])
        assert found.updates is not None
        assert len(found.updates.write_updates([request])) == n


def test_a_correction_that_does_not_fit_is_left_out_of_the_prompt() -> None:
    found, free = writers([FALSE, TRUE])
    found.patterns.write_patterns([WESTERNS])
    longer = free.count_tokens([free.asked[1]])[0]
    for missing, n_messages in ((0, 4), (1, 2)):
        tight, backend = writers([FALSE, TRUE], room=longer + pattern_writer(found).sampling.max_tokens - missing)
        [pattern] = tight.patterns.write_patterns([WESTERNS])
        assert pattern.text == TRUE
        assert [len(prompt.messages) for prompt in backend.asked] == [2, n_messages]
        assert [prompt.sample for prompt in backend.asked] == [0, 1], "a sample of its own, not the same answer"


def test_writers_are_counted_for_the_notes_of_a_fit() -> None:
    found, _ = writers([TRUE])
    others, _ = writers(lambda _: FALSE)
    patterns = [
        *found.patterns.write_patterns([WESTERNS]),
        *others.patterns.write_patterns([history("efgh", user_id="v")]),
    ]
    texts = Texts(PatternBook.of(patterns), ReasonStore.of([], item_ids=FILMS["item_id"].sort()))
    lines = texts_by_writer(texts)
    assert lines == ["patterns: 2 by scripted (2 verified)", "reasons: none"]
