"""What the zero-shot baseline asks, and the answer it expects (TRAIL Appendix B, Table 6): its keys, our words."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from whyrec.data.item_texts import period_name
from whyrec.data.windows import Window, WindowLength
from whyrec.llm.structured import JsonSchema, bounded_text

SCORE_KEY, EXPLANATION_KEY = "predict_popularity_score", "explanation_of_score"
SCORE_STEP = 0.01
"""Scores are written with two decimals at most."""
_SCORE_PATTERN = r"^[0-9]{1,7}(\.[0-9]{1,2})?$"
_LONGEST_EXPLANATION = 900

_SYSTEM = """\
You are a popularity analyst. From an item's description and its popularity history, predict how many users will take \
it in the target period, and explain the number. The history counts users per {period}.
Answer with one JSON object that has exactly two keys, in this order:
1. {score}: the predicted number of users, not negative, written as a string such as "12" or "3.5".
2. {explanation}: one line of text without quotation marks, in three sections in this order:
[Trend] with concrete numbers of the history, such as the last count, the average, peaks and troughs;
[Feature] with at least two aspects of the description and what they mean for the number;
[Integration] combines the two and says why the number is reasonable for the target period."""

_CASE = """\
<ItemDescription>
{description}
</ItemDescription>
<PopularityHistory>
{history}
</PopularityHistory>
<TargetPeriod>{target}</TargetPeriod>"""
_TAG = re.compile(r"<(?=/?(?:ItemDescription|PopularityHistory|TargetPeriod|PopularityScore)\b)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Case:
    """One item and target window in words, and what came of it where that is known."""

    description: str
    history: str
    target: str
    users: int | None = None
    """Distinct users in the target window, for an example; None where it is asked for."""

    def __str__(self) -> str:
        return _CASE.format(description=self.description, history=self.history, target=self.target)


def case_of(description: str, *, history: str, window: Window) -> Case:
    """An item that is asked about. A description that holds a tag of ours cannot close its block."""
    return Case(_TAG.sub("‹", description), history, period_name(window))


def system_text(length: WindowLength) -> str:
    """The instruction: role, answer and its three sections (TRAIL Table 6, in our words)."""
    period = (
        "calendar month, named by year and month"
        if length.days is None
        else f"{length.days} days, named by the first of them"
    )
    return _SYSTEM.format(period=period, score=SCORE_KEY, explanation=EXPLANATION_KEY)


def question(case: Case, *, examples: Sequence[Case] = ()) -> str:
    """The question: solved examples, if any, then the item's three blocks.

    The examples come first, so that all questions of a run begin alike and a model reads that part once.
    """
    solved = [f"{example}\n<PopularityScore>{example.users}</PopularityScore>" for example in examples]
    return "\n\n".join([*solved, str(case)])


def answer_schema() -> JsonSchema:
    """One JSON object: the score as text, then the explanation in one line."""
    properties = {
        SCORE_KEY: {"type": "string", "pattern": _SCORE_PATTERN},
        EXPLANATION_KEY: bounded_text(longest=_LONGEST_EXPLANATION),
    }
    return JsonSchema.of(
        {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        },
        name="popularity",
    )
