"""What TRAIL asks a language model, and the answer it is trained on (TRAIL Appendix B, Table 6).

One template serves training and inference, so that the two cannot drift apart: a training text is the inference prompt
with its answer behind it. The wording is ours; keys, tags and markers are the paper's.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from whyrec.data.item_texts import description_text, history_text
from whyrec.data.windows import Window
from whyrec.errors import InvalidConfigError, InvalidDataError, PromptTooLongError
from whyrec.llm.base import Message
from whyrec.llm.structured import JsonSchema, Regex
from whyrec.methods.trail.samples import Sample

SCORE_KEY = "predict_popularity_score"
EXPLANATION_KEY = "explanation_of_score"
EXPLANATION_START = "<exp_start>"
EXPLANATION_END = "<exp_end>"
SECTIONS = ("Trend", "Feature", "Integration")
FREE_FORM = Regex("".join(rf"\[{name}\] [^\[\]<>\"\\\n]+" for name in SECTIONS))
"""Three sections without anything that JSON would escape."""

SCORE_PATTERN = r"(?:0|[1-9][0-9]{0,8})(?:\.[0-9]{1,4})?"
"""A score as an answer writes it: not negative, without separators."""
LONGEST_EXPLANATION = 1500
"""Characters between the markers of a forced answer."""

Domain = Literal["movies", "beauty", "baby", "generic"]
Order = Literal["score_first", "explanation_first"]
Span = tuple[int, int]
"""First character and one past the last, as in ``llm/readouts.py``, which cannot be imported without transformers."""


@dataclass(frozen=True, slots=True)
class AnswerText:
    """The answer that a sample is trained on, and where its parts stand."""

    text: str
    score: Span
    """The score's characters, without quotes."""
    explanation: Span
    """The explanation as it is escaped in ``text``, both markers included."""


@dataclass(frozen=True, slots=True)
class ParsedAnswer:
    """What an answer says, or why it says nothing; nothing is repaired."""

    score: float | None
    explanation: str | None
    """Without its markers."""
    failure: str | None


class PromptTemplate(Protocol):
    """How a sample becomes a conversation, and a conversation's answer a score and a reason."""

    def explanation_form(self) -> Regex:
        """What a generated explanation must look like."""
        ...

    def messages(self, sample: Sample) -> tuple[Message, ...]:
        """What is asked; nothing in it is later than the sample's cut-off."""
        ...

    def answer(self, *, score: str, explanation: str) -> AnswerText:
        """The answer that follows it in training.

        Raises:
            InvalidDataError: If the score is no number, or the explanation holds a marker.
        """
        ...

    def score_prefix(self) -> str:
        """The answer's text up to where the score's digits start.

        Raises:
            InvalidConfigError: If the explanation comes first, so that there is no fixed text before the score.
        """
        ...

    def score_text(self, count: float) -> str:
        """How the template writes a number of users."""
        ...

    def fit_length(
        self, sample: Sample, *, max_tokens: int, count_tokens: Callable[[tuple[Message, ...]], int]
    ) -> tuple[Message, ...]:
        """What is asked, in at most so many tokens.

        Raises:
            PromptTooLongError: If it cannot be made so short.
        """
        ...

    def parse(self, text: str) -> ParsedAnswer:
        """Read an answer strictly."""
        ...


@dataclass(frozen=True, slots=True)
class _Wording:
    """What differs between the domains."""

    thing: str
    description_tag: str
    history_tag: str
    window_tag: str
    hints: str


_MOVIE_TAGS = ("MovieDescription", "PopularityHistory", "InferenceTimestamp")
_PRODUCT_TAGS = ("ProductDescription", "HistoricalPopularityTrends", "PredictTimestamp")
_WORDINGS: dict[Domain, _Wording] = {
    "movies": _Wording("movie", *_MOVIE_TAGS, "genre, director, cast, year of release, story"),
    "beauty": _Wording("beauty product", *_PRODUCT_TAGS, "brand, category, ingredients, purpose, price"),
    "baby": _Wording("baby product", *_PRODUCT_TAGS, "brand, category, age group, safety, price"),
    "generic": _Wording("item", *_PRODUCT_TAGS, "brand, category, purpose, price"),
}
_MARKERS = re.compile(rf"<(?=/?(?:{'|'.join((*_MOVIE_TAGS, *_PRODUCT_TAGS))}|exp_start|exp_end)\b)", re.IGNORECASE)
_SECTION_TASKS = """\
[Trend] what the history shows, in concrete numbers: the latest value, peaks, lows, rises or falls. \
Where there is no history, say so.
[Feature] at least two attributes from <{wording.description_tag}> ({wording.hints}) and what they mean for demand.
[Integration] both together, and why {conclusion} at <{wording.window_tag}>."""
_HISTORY_NOTE = """\
<{wording.history_tag}> counts the people who chose the {wording.thing} in each period before the prediction, oldest \
first; a period is named by its month or by its first day."""
_FORECAST_SYSTEM = """\
You are a {wording.thing} popularity analyst. From what is known of one {wording.thing}, predict its popularity score: \
how many people will choose it in the period that <{wording.window_tag}> names. Give your reasons.
{history_note}
Answer with one valid JSON object and nothing else. It has exactly two keys, in this order: {keys}.
"{score_key}": a number that is not negative, written as a string.
"{explanation_key}": a string that begins with {start}, ends with {end} and has three sections in this order:
{sections}"""
_EXPLANATION_SYSTEM = """\
You are a {wording.thing} popularity analyst. Explain how the demand for one {wording.thing} has developed, and what \
that lets one expect in the period that <{wording.window_tag}> names.
{history_note}
Write three short sections in plain text, in this order, each beginning with its tag:
{sections}
Use only what the inputs say. Name no number for the coming period, and no month after it."""


@dataclass(frozen=True, slots=True)
class PaperTemplate:
    """The paper's prompt for one domain; implements ``PromptTemplate``."""

    domain: Domain = "generic"
    order: Order = "score_first"
    """The paper puts the score first: then the text explains a number that stands already (see ``answer``)."""
    with_daily: bool = False
    """Add the users of each of the last days to the history."""
    max_windows: int = 36
    """The longest history, in windows."""
    max_description_chars: int = 1200

    def explanation_form(self) -> Regex:
        """Three sections, in any words."""
        return FREE_FORM

    def messages(self, sample: Sample) -> tuple[Message, ...]:
        """What is asked: the analyst's task, then description, history and target in tags (TRAIL Table 6)."""
        wording = _WORDINGS[self.domain]
        keys = [f'"{SCORE_KEY}"', f'"{EXPLANATION_KEY}"']
        system = _FORECAST_SYSTEM.format(
            wording=wording,
            keys=" and ".join(keys if self.order == "score_first" else reversed(keys)),
            history_note=_HISTORY_NOTE.format(wording=wording),
            score_key=SCORE_KEY,
            explanation_key=EXPLANATION_KEY,
            start=EXPLANATION_START,
            end=EXPLANATION_END,
            sections=_SECTION_TASKS.format(wording=wording, conclusion="the score is reasonable"),
        )
        return Message("system", system), self._inputs(sample)

    def explanation_prompt(self, sample: Sample) -> tuple[Message, ...]:
        """Ask for an explanation alone, without the score: blind, as its writer will be at inference.

        The answer is plain text in the three sections, to be verified before anything learns from it.
        """
        wording = _WORDINGS[self.domain]
        system = _EXPLANATION_SYSTEM.format(
            wording=wording,
            history_note=_HISTORY_NOTE.format(wording=wording),
            sections=_SECTION_TASKS.format(wording=wording, conclusion="demand may rise, hold or fall"),
        )
        return Message("system", system), self._inputs(sample)

    def answer(self, *, score: str, explanation: str) -> AnswerText:
        """The answer of the training text, in one line: a forced JSON string holds no line breaks, so none are learnt.

        Args:
            score: Digits, with decimals if need be.
            explanation: Without markers; its line breaks become spaces, all offsets stay.

        Raises:
            InvalidDataError: If ``score`` is no such number, or ``explanation`` holds a marker.
        """
        if re.fullmatch(SCORE_PATTERN, score) is None:
            raise InvalidDataError(
                f"answer: expected a score of digits such as '12' or '5.5', got {score!r}. Write it out."
            )
        if EXPLANATION_START in explanation or EXPLANATION_END in explanation:
            raise InvalidDataError(
                f"answer: expected an explanation without {EXPLANATION_START} and {EXPLANATION_END}, got "
                f"{explanation[:60]!r}. Take the markers out."
            )
        marked = f"{EXPLANATION_START}{in_one_line(explanation)}{EXPLANATION_END}"
        parts = [(SCORE_KEY, score), (EXPLANATION_KEY, json.dumps(marked, ensure_ascii=False)[1:-1])]
        text = "{"
        spans: dict[str, Span] = {}
        for key, value in parts if self.order == "score_first" else reversed(parts):
            text += f'{", " if spans else ""}"{key}": "'
            spans[key] = (len(text), len(text) + len(value))
            text += f'{value}"'
        return AnswerText(text + "}", spans[SCORE_KEY], spans[EXPLANATION_KEY])

    def score_prefix(self) -> str:
        """The answer's text up to where the score's digits start.

        Raises:
            InvalidConfigError: If the explanation comes first.
        """
        require_score_first(self.order)
        return f'{{"{SCORE_KEY}": "'

    def score_text(self, count: float) -> str:
        """A number of users in digits."""
        return str(round(count))

    def parse(self, text: str) -> ParsedAnswer:
        """Read an answer strictly: one JSON object, both keys, the score in digits, the explanation in its markers."""
        try:
            found = json.loads(text, object_pairs_hook=lambda pairs: pairs, parse_constant=str)
        except (ValueError, RecursionError) as error:
            return _failed(f"no JSON: {error}")
        try:
            score, explanation = _parts(found)
        except ValueError as error:
            return _failed(str(error))
        return ParsedAnswer(float(score), explanation, None)

    def answer_schema(self) -> JsonSchema:
        """The form of an answer, for constrained decoding: the keys in this template's order."""
        section = rf"[^\u0000]{{20,{LONGEST_EXPLANATION // len(SECTIONS)}}}"
        sections = "".join(rf"\[{name}\]:? {section}" for name in SECTIONS)
        properties = {
            SCORE_KEY: {"type": "string", "pattern": f"^{SCORE_PATTERN}$"},
            EXPLANATION_KEY: {"type": "string", "pattern": f"^{EXPLANATION_START}{sections}{EXPLANATION_END}$"},
        }
        keys = list(properties) if self.order == "score_first" else list(reversed(properties))
        return JsonSchema.of(
            {
                "type": "object",
                "properties": {key: properties[key] for key in keys},
                "required": keys,
                "additionalProperties": False,
            },
            name="popularity",
        )

    def fit_length(
        self, sample: Sample, *, max_tokens: int, count_tokens: Callable[[tuple[Message, ...]], int]
    ) -> tuple[Message, ...]:
        """The prompt in a bounded length: the oldest windows go first, down to one, then the description's end.

        Args:
            sample: What to ask about.
            max_tokens: The most tokens of the prompt; the caller sets the answer's aside, which is never cut.
            count_tokens: The length of a conversation as the model reads it.

        Raises:
            PromptTooLongError: If not even the newest window and one character of description fit.
        """

        def fits(template: PaperTemplate) -> bool:
            return count_tokens(template.messages(sample)) <= max_tokens

        if fits(self):
            return self.messages(sample)
        n_windows = min(self.max_windows, max(len(sample.history.windows), 1))
        shorter = _longest(1, n_windows, fits=lambda n: fits(replace(self, max_windows=n)))
        if shorter is not None:
            return replace(self, max_windows=shorter).messages(sample)
        least = replace(self, max_windows=1)
        chars = _longest(1, self.max_description_chars, fits=lambda n: fits(replace(least, max_description_chars=n)))
        if chars is None:
            raise PromptTooLongError(
                f"prompt of item {sample.history.item_id!r}: expected at most {max_tokens} tokens, got more even with "
                "one window and no description. Allow more."
            )
        return replace(least, max_description_chars=chars).messages(sample)

    def _inputs(self, sample: Sample) -> Message:
        wording, history = _WORDINGS[self.domain], sample.history
        blocks = (
            (wording.description_tag, description_text(history, max_chars=self.max_description_chars)),
            (wording.history_tag, history_text(history, max_windows=self.max_windows, with_daily=self.with_daily)),
            (wording.window_tag, timestamp_text(sample.window)),
        )
        # A description that holds a tag or marker of ours must not close a block or start an explanation.
        return Message("user", "\n".join(f"<{tag}>{_MARKERS.sub('‹', text)}</{tag}>" for tag, text in blocks))


def require_score_first(order: Order) -> None:
    """Refuse an order that leaves no fixed text before the score.

    Raises:
        InvalidConfigError: If the explanation comes first.
    """
    if order != "score_first":
        raise InvalidConfigError(
            f"template: expected order 'score_first' for a text before the score, got {order!r}. "
            "Generate the explanation first, or change the order."
        )


def in_one_line(explanation: str) -> str:
    """An explanation with spaces for its line breaks, which forced answers cannot write; all offsets stay."""
    return re.sub(r"[\r\n]", " ", explanation)


def timestamp_text(window: Window) -> str:
    """Name the target as the history names its windows: ``2013-11``, or ``2013-10-08, for 30 days``."""
    start, _, end = window.label.partition("/")
    return f"{start}, for {window.days:.0f} days" if end else start


def _longest(low: int, high: int, *, fits: Callable[[int], bool]) -> int | None:
    """The largest number from ``low`` to ``high`` that fits, where every smaller one does too; None if none does."""
    if not fits(low):
        return None
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low


def _failed(reason: str) -> ParsedAnswer:
    return ParsedAnswer(None, None, " ".join(reason.split()))


def _parts(found: object) -> tuple[str, str]:
    """Score and explanation of a parsed answer, an object given as its pairs.

    Raises:
        ValueError: Saying what is not as it must be.
    """
    if not isinstance(found, list) or not all(isinstance(pair, tuple) for pair in found):
        raise ValueError("no JSON object")
    keys = [key for key, _ in found]
    if sorted(keys) != sorted((SCORE_KEY, EXPLANATION_KEY)):
        raise ValueError(f"expected the keys {SCORE_KEY} and {EXPLANATION_KEY} once each, got {', '.join(keys)}")
    values = dict(found)
    score, explanation = values[SCORE_KEY], values[EXPLANATION_KEY]
    if not isinstance(score, str) or re.fullmatch(SCORE_PATTERN, score) is None:
        raise ValueError(f"{SCORE_KEY}: expected digits in a string, got {str(score)[:40]!r}")
    if not isinstance(explanation, str):
        raise ValueError(f"{EXPLANATION_KEY}: expected a string, got {type(explanation).__name__}")
    inner = explanation.removeprefix(EXPLANATION_START).removesuffix(EXPLANATION_END)
    if explanation != f"{EXPLANATION_START}{inner}{EXPLANATION_END}":
        raise ValueError(f"{EXPLANATION_KEY}: expected {EXPLANATION_START} first and {EXPLANATION_END} last")
    if EXPLANATION_START in inner or EXPLANATION_END in inner:
        raise ValueError(f"{EXPLANATION_KEY}: expected each marker once")
    return score, inner
