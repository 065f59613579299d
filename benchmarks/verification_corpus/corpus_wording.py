"""Numbers, months and shares in words, in the styles of a voice; each comes with what it commits to.

A number comes as text with the relation it states: exactly, about, more than, fewer than. Written apart from the
verifier on purpose.
"""

import random
from datetime import date

SMALL = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
TENS = ["zero", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"]


def words(n: int, *, joiner: str = " and ", one: str = "one") -> str:
    """Spell a whole number below a million."""
    if n < 20:
        return SMALL[n]
    if n < 100:
        return TENS[n // 10] + (f"-{SMALL[n % 10]}" if n % 10 else "")
    size, name = (1000, "thousand") if n >= 1000 else (100, "hundred")
    head, rest = divmod(n, size)
    lead = one if head == 1 else words(head, joiner=joiner)
    glue = joiner if rest < 100 else " "
    return f"{lead} {name}" + (glue + words(rest, joiner=joiner) if rest else "")


def step(n: int) -> int:
    """What a person would round to."""
    return 100 if n >= 1000 else 10 if n >= 60 else 5


def number(n: int, style: str) -> tuple[str, int, str]:
    """Say a count: text, the number in it, and the relation (``exact``, ``about``, ``over`` or ``under``).

    A style that would stretch the truth (a small number rounded) falls back to the exact one.
    """
    base = step(n)
    near, low, high = round(n / base) * base, n // base * base, -(-n // base) * base
    if style in ROUNDED and n >= 25 and abs(near - n) <= 0.05 * n:
        return ROUNDED[style].format(digits=f"{near:,}", words=words(near, one="a"), plain=near), near, "about"
    if style in OVER and n >= 25 and 0 < n - low <= 0.06 * n:
        return OVER[style].format(digits=f"{low:,}", words=words(low, one="a")), low, "over"
    if style in UNDER and n >= 25 and 0 < high - n <= 0.06 * n:
        return UNDER[style].format(digits=f"{high:,}", words=words(high, one="a")), high, "under"
    if style == "words":
        return words(n), n, "exact"
    if style == "words_us":
        return words(n, joiner=" "), n, "exact"
    if style == "plain":
        return str(n), n, "exact"
    return f"{n:,}", n, "exact"


ROUNDED = {
    "about": "about {digits}",
    "roughly_words": "roughly {words}",
    "around": "around {digits}",
    "or_so": "{digits} or so",
    "some": "some {digits}",
    "tilde": "~{plain}",
    "approximately": "approximately {words}",
    "close_to": "close to {digits}",
    "give_or_take": "{digits}, give or take,",
    "in_the_region": "in the region of {digits}",
}
OVER = {
    "just_over": "just over {digits}",
    "a_little_more": "a little more than {words}",
    "upwards": "upwards of {digits}",
    "more_than": "more than {digits}",
    "north_of": "north of {digits}",
}
UNDER = {
    "nearly": "nearly {digits}",
    "just_under": "just under {words}",
    "almost": "almost {digits}",
    "fewer_than": "fewer than {digits}",
    "not_quite": "not quite {words}",
    "shy_of": "just shy of {digits}",
}
FRACTIONS = {0.25: "a quarter", 1 / 3: "a third", 0.5: "half", 2 / 3: "two thirds"}


def month(when: date, style: str, *, cutoff: date) -> str:
    """Say a month as seen from a cut-off; relative styles fall back to the name with its year."""
    name, year = MONTHS[when.month - 1], when.year
    ago = (cutoff.year - year) * 12 + cutoff.month - when.month
    if style in ("last_name", "past_name", "relative") and 1 <= ago <= 11:
        if style == "last_name":
            return f"last {name}"
        if style == "past_name":
            return f"this past {name}"
        return {1: "last month", 2: "the month before last"}.get(ago, name)
    return {
        "short": f"{name[:3]} {year}",
        "apostrophe": f"{name[:3]} '{year % 100:02d}",
        "iso": f"{year}-{when.month:02d}",
        "slash": f"{when.month:02d}/{year}",
        "name": name,
        "of": f"{name} of {year}",
        "dot": f"{name[:3]}{'' if when.month == 5 else '.'} {year}",
        "comma": f"{name}, {year}",
        "the_month_of": f"the month of {name}",
    }.get(style, f"{name} {year}")


def off(n: int, rng: random.Random) -> int:
    """A number that nobody would take for a rounding of this one."""
    factor = rng.choice((0.35, 0.5, 0.62, 1.45, 1.7, 2.2, 3.1))
    wrong = round(n * factor)
    return wrong if abs(wrong - n) >= max(3, 0.3 * n) and wrong > 3 else n + max(4, n)


def could_be_said(n: int, said: int, relation: str) -> bool:
    """Whether a lenient or a literal reader could accept the number said of this one; a falsehood must fail both."""
    if relation in ("over", "under"):
        return n > said if relation == "over" else n < said
    return abs(n - said) < 0.25 * n
