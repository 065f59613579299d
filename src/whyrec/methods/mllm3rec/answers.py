"""What a language model answers to M-LLM3REC's prompts, read strictly: one that is not as asked says why.

Models that reason write ``<think>...</think>`` first; that is taken off. Rankings alone are repaired, and every repair
is counted (M6).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from whyrec.llm.reading import UnusableAnswerError
from whyrec.llm.structured import JsonSchema, bounded_text
from whyrec.methods.mllm3rec.artefacts import STRENGTHS, Motivation
from whyrec.methods.mllm3rec.schema import MotivationSchema

LONGEST_SENTENCE_WORDS = 30
FEWEST_TRAITS, MOST_TRAITS = 3, 8
LONGEST_TRAIT_WORDS = 6
MOST_SCORE = 100
MOST_EVIDENCE = 5
"""Items that one motivation rests on."""

_CHARS_PER_WORD = 12
"""On average at most, so that a text without spaces has an end too."""
Verdict = Literal["keep", "demote"]


@dataclass(frozen=True, slots=True)
class RankingRepairs:
    """What had to be done to an answer until it was an order of all labels (M6)."""

    repeated: int = 0
    """Labels that stood there again."""
    unknown: int = 0
    """Texts that are no label."""
    missing: int = 0
    """Labels that were put at the end."""

    @property
    def total(self) -> int:
        """All of them."""
        return self.repeated + self.unknown + self.missing


def parse_profile(
    text: str, *, schema: MotivationSchema, item_ids: Sequence[str], needs_evidence: bool = True
) -> tuple[Motivation, ...]:
    """Read a profile: motivations of the schema, each once, resting on lines of the history.

    Args:
        text: The answer.
        schema: Which motivations there are.
        item_ids: Of the history that was shown, in its order: H1 is the first.
        needs_evidence: Refuse a motivation that rests on no line; False where the user said something too.

    Raises:
        SchemaViolationError: If it has not the form.
        UnusableAnswerError: Kinds ``outside the schema``, ``repeated``, ``evidence``, ``long``, ``nothing``.
    """
    found = cast("dict[str, list[dict[str, object]]]", profile_schema(schema, forced=False).parse(_after_thought(text)))
    motivations = tuple(
        _motivation(entry, schema=schema, item_ids=item_ids, needs_evidence=needs_evidence)
        for entry in found["motivations"]
    )
    keys = [it.dimension for it in motivations]
    if len(set(keys)) < len(keys):
        raise UnusableAnswerError("repeated", f"expected each motivation once, got {', '.join(keys)}")
    if not any(it.strength for it in motivations):
        raise UnusableAnswerError("nothing", "expected a motivation of strength 1 at least, got none")
    return motivations


def parse_traits(text: str) -> tuple[str, ...]:
    """Read an item's traits: 3 to 8 phrases, as they came but for spaces; ``trait_rules`` says which may stay.

    Raises:
        SchemaViolationError: If it has not the form.
    """
    found = cast("dict[str, list[str]]", traits_schema(forced=False).parse(_after_thought(text)))
    return tuple(" ".join(trait.split()) for trait in found["traits"])


def parse_ranking(
    text: str, *, labels: Sequence[str], completion: Sequence[str]
) -> tuple[tuple[str, ...], RankingRepairs]:
    """Read an order of labels and complete it.

    Args:
        text: The answer.
        labels: All of them.
        completion: The order in which missing ones are put at the end.

    Returns:
        All labels, each once, best first, and what was repaired.

    Raises:
        SchemaViolationError: If it is no JSON object with a list of texts.
        UnusableAnswerError: Kind ``no label``: there is not one label in it.
    """
    found = cast("dict[str, list[str]]", _loose_ranking().parse(_after_thought(text)))
    known = [label for label in found["ranking"] if label in labels]
    if not known:
        raise UnusableAnswerError("no label", f"expected labels such as {labels[0]}, got {found['ranking'][:3]}")
    order = list(dict.fromkeys(known))
    missing = [label for label in completion if label not in order]
    repairs = RankingRepairs(
        repeated=len(known) - len(order), unknown=len(found["ranking"]) - len(known), missing=len(missing)
    )
    return (*order, *missing), repairs


def parse_score(text: str) -> int:
    """Read a score from 0 to 100.

    Raises:
        SchemaViolationError: If it has not the form.
    """
    return int(cast("dict[str, int]", score_schema().parse(_after_thought(text)))["score"])


def parse_rationale(text: str, *, dimensions: Sequence[str], n_traits: int) -> tuple[str, int, str]:
    """Read a rationale: a motivation that the profile has, the place of a trait from 0, and a sentence.

    Raises:
        SchemaViolationError: If it has not the form.
        UnusableAnswerError: Kinds ``motivation``, ``trait`` (what it cites is not there) and ``long``.
    """
    found = cast("dict[str, str]", _loose_rationale().parse(_after_thought(text)))
    if found["motivation"] not in dimensions:
        raise UnusableAnswerError(
            "motivation", f"expected one of {', '.join(dimensions)}, got {found['motivation'][:40]!r}"
        )
    labels = trait_labels(n_traits)
    if found["trait"] not in labels:
        raise UnusableAnswerError("trait", f"expected one of {', '.join(labels)}, got {found['trait'][:40]!r}")
    return found["motivation"], labels.index(found["trait"]), _sentence(found["sentence"])


def parse_verdict(text: str) -> Verdict:
    """Read whether an item stays where it is.

    Raises:
        SchemaViolationError: If it has not the form.
    """
    return cast("dict[str, Verdict]", verdict_schema().parse(_after_thought(text)))["verdict"]


def profile_schema(schema: MotivationSchema, *, n_history: int = 0, forced: bool = True) -> JsonSchema:
    """The form of a profile.

    Args:
        schema: Which motivations there are.
        n_history: Lines of the longest history that is asked about.
        forced: For asking, with all that a constrained decoder can keep to; else for reading what came.
    """
    evidence: Mapping[str, object] = {"type": "string"}
    if forced and n_history:
        evidence = {"enum": history_labels(n_history)}
    properties = {
        "dimension": {"enum": list(schema.keys)} if forced else {"type": "string"},
        "strength": {"enum": list(STRENGTHS)},
        "sentence": _text(LONGEST_SENTENCE_WORDS, forced=forced),
        "evidence": {"type": "array", "items": evidence, "maxItems": MOST_EVIDENCE if n_history or not forced else 0},
    }
    entries = {"type": "array", "items": _object(properties), "minItems": 1, "maxItems": len(schema.keys)}
    return JsonSchema.of(_object({"motivations": entries}), name="profile")


def traits_schema(*, forced: bool = True) -> JsonSchema:
    """The form of an item's traits; ``forced`` as in ``profile_schema``."""
    phrases = {
        "type": "array",
        "items": _text(LONGEST_TRAIT_WORDS, forced=forced),
        "minItems": FEWEST_TRAITS,
        "maxItems": MOST_TRAITS,
    }
    return JsonSchema.of(_object({"traits": phrases}), name="traits")


def ranking_schema(labels: Sequence[str]) -> JsonSchema:
    """The form of an order of labels, for asking; that they are distinct no grammar can say."""
    order = {"type": "array", "items": {"enum": list(labels)}, "minItems": len(labels), "maxItems": len(labels)}
    return JsonSchema.of(_object({"ranking": order}), name="ranking")


def score_schema() -> JsonSchema:
    """The form of a score."""
    return JsonSchema.of(_object({"score": {"enum": list(range(MOST_SCORE + 1))}}), name="score")


def rationale_schema(dimensions: Sequence[str], *, n_traits: int) -> JsonSchema:
    """The form of a rationale, for asking."""
    properties = {
        "motivation": {"enum": list(dimensions)},
        "trait": {"enum": trait_labels(n_traits)},
        "sentence": _text(LONGEST_SENTENCE_WORDS, forced=True),
    }
    return JsonSchema.of(_object(properties), name="rationale")


def verdict_schema() -> JsonSchema:
    """The form of a verdict."""
    return JsonSchema.of(_object({"verdict": {"enum": ["keep", "demote"]}}), name="verdict")


def profile_answer(motivations: Sequence[Motivation], *, item_ids: Sequence[str]) -> str:
    """A profile as a model would answer it: for exemplars.

    Args:
        motivations: What it says.
        item_ids: Of the history, in its order.
    """
    label_of = dict(zip(item_ids, history_labels(len(item_ids)), strict=True))
    entries = [
        {
            "dimension": it.dimension,
            "strength": it.strength,
            "sentence": it.sentence,
            "evidence": [label_of[item_id] for item_id in it.evidence],
        }
        for it in motivations
    ]
    return json.dumps({"motivations": entries}, ensure_ascii=False)


def history_labels(n: int) -> list[str]:
    """What the lines of a history are called: H1, H2, ..."""
    return [f"H{place}" for place in range(1, n + 1)]


def trait_labels(n: int) -> list[str]:
    """What the traits of an item are called: T1, T2, ..."""
    return [f"T{place}" for place in range(1, n + 1)]


def _object(properties: Mapping[str, object]) -> dict[str, object]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def _text(longest_words: int, *, forced: bool) -> dict[str, object]:
    return bounded_text(longest=longest_words * _CHARS_PER_WORD, shortest=3) if forced else {"type": "string"}


def _loose_ranking() -> JsonSchema:
    return JsonSchema.of(_object({"ranking": {"type": "array", "items": {"type": "string"}}}), name="ranking")


def _loose_rationale() -> JsonSchema:
    texts = {key: {"type": "string"} for key in ("motivation", "trait", "sentence")}
    return JsonSchema.of(_object(texts), name="rationale")


def _after_thought(text: str) -> str:
    return text.rpartition("</think>")[2].strip()


def _motivation(
    entry: Mapping[str, object], *, schema: MotivationSchema, item_ids: Sequence[str], needs_evidence: bool
) -> Motivation:
    key, strength = cast(str, entry["dimension"]), int(cast(int, entry["strength"]))
    if key not in schema.keys:
        raise UnusableAnswerError("outside the schema", f"expected one of {', '.join(schema.keys)}, got {key[:40]!r}")
    places = {label: place for place, label in enumerate(history_labels(len(item_ids)))}
    named = cast("list[str]", entry["evidence"])
    stranger = next((label for label in named if label not in places), None)
    if stranger is not None:
        raise UnusableAnswerError(
            "evidence", f"expected lines of a history of {len(item_ids)} for {key}, got {stranger[:40]!r}"
        )
    if strength and needs_evidence and not named:
        raise UnusableAnswerError("evidence", f"expected a line of the history for {key}, got none")
    # The same item may have been taken twice, and a line may be named twice: both are one piece of evidence.
    evidence = tuple(dict.fromkeys(item_ids[places[label]] for label in named))
    sentence = cast(str, entry["sentence"])
    return Motivation(key, strength, _sentence(sentence) if strength else "", evidence if strength else ())


def _sentence(text: str) -> str:
    """The text in one line.

    Raises:
        UnusableAnswerError: If it says nothing (``nothing``), is too long (``long``), or no Unicode (``form``).
    """
    words = text.split()
    if not any(character.isalnum() for character in text):
        raise UnusableAnswerError("nothing", f"expected words, got {text.strip()[:40]!r}")
    if len(words) > LONGEST_SENTENCE_WORDS or len(text) > LONGEST_SENTENCE_WORDS * _CHARS_PER_WORD:
        raise UnusableAnswerError("long", f"expected at most {LONGEST_SENTENCE_WORDS} words, got {len(words)}")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise UnusableAnswerError("form", "expected Unicode, got half a character")
    return " ".join(words)
