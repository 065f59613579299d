"""How far a number in words may be from the number in the data, and still be called true.

Exact figures must be the data's value rounded to the places shown. "About" allows 5% (and one for round numbers below
20) or the nearest round number, "nearly" up to 8% above the truth, "over" and "under" up to 10% on their side.
"""

from whyrec.evaluation.verification.mentions import Number

_ABOUT = 0.05
_NEARLY = 0.08
_BEYOND = 0.10


def agrees(number: Number, truth: float) -> bool:
    """Whether a stated number is a fair way to write the true one."""
    said = number.value
    rounding = 0.5 * 10.0**-number.decimals + 1e-9
    if number.approximate == "about":
        return abs(said - truth) <= max(_ABOUT * abs(truth), _rounded_by(said), rounding)
    if number.approximate == "close":
        return abs(said - truth) <= max(_NEARLY * abs(truth), rounding)
    if number.approximate == "nearly":
        return truth - rounding <= said <= truth * (1 + _NEARLY) + rounding
    if number.approximate == "over":
        return truth >= said - 1e-9 and truth - said <= _BEYOND * truth + 1
    if number.approximate == "under":
        return truth <= said + 1e-9 and said - truth <= _BEYOND * truth + 1
    return abs(said - truth) <= rounding


def _rounded_by(said: float) -> float:
    """Half the step that a round number was rounded to: fives below 60, tens below 200, fifties below 1,000."""
    step = next((step for below, step in _STEPS if said < below), 100)
    return step / 2 if said >= _LEAST_ROUND and said % step == 0 else 0.0


_STEPS = ((60, 5), (200, 10), (1000, 50))
_LEAST_ROUND = 10


def percent_agrees(number: Number, truth: float) -> bool:
    """The same for percentages: whole per cents, two points of slack when said to be approximate or a fraction."""
    slack = 0.5 * 10.0**-number.decimals + 1e-6
    if number.approximate in ("over", "under"):
        excess = truth - number.value if number.approximate == "over" else number.value - truth
        return -slack <= excess <= max(10.0 if number.is_share else 3.0, _BEYOND * abs(truth))
    if number.approximate:
        slack = max(4.0 if number.is_share else 3.0, _ABOUT * abs(truth))
    return abs(number.value - truth) <= slack


def ratio_agrees(number: Number, truth: float) -> bool:
    """The same for "2.5 times": rounded as shown; whole ratios may be off by 12% when approximate."""
    slack = 0.5 * 10.0**-number.decimals + 1e-9
    if number.decimals == 0 and not number.approximate:
        slack = min(slack, 0.12 * max(truth, 1.0))
    if number.approximate:
        slack = max(0.05, 0.12 * truth)
    return abs(number.value - truth) <= slack
