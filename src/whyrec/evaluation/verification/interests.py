"""Check a text about what a user likes, and why an item suits them, whoever wrote it.

Five things are looked at: titles (of the item, or of the history before the moment in question), values of attributes
(of the item; of the history where the text says so), counts ("four of the last ten"), how a user's share compares with
the average user's ("more often than the average viewer", "three times as often"), and habits ("most of all"). Where
they are known, also levels on readable scales, motivations and traits.
"""

from collections.abc import Iterator, Sequence

from whyrec.evaluation.verification import interest_words as words
from whyrec.evaluation.verification.habit_pieces import is_about_user, is_credit, pieces, speaks_of_habits
from whyrec.evaluation.verification.habit_words import ANSWERS
from whyrec.evaluation.verification.habits import habit_claims
from whyrec.evaluation.verification.hidden import hidden_claims
from whyrec.evaluation.verification.interest_facts import InterestFacts, ItemTraits
from whyrec.evaluation.verification.interest_mentions import Mention, Reading, read
from whyrec.evaluation.verification.interest_numbers import aspect_ids, count_claims, figure_claims, times_claims
from whyrec.evaluation.verification.level_words import FIGURES_OF_SCALE
from whyrec.evaluation.verification.levels import LevelFacts, level_claims, scale_names
from whyrec.evaluation.verification.lexicon import DENIES_VALUE
from whyrec.evaluation.verification.motives import MotiveFacts, motive_claims
from whyrec.evaluation.verification.names import FILLER
from whyrec.evaluation.verification.quotes import plainly
from whyrec.evaluation.verification.value_words import DENIED_AFTER, DENIES_CALLING, DOUBLE_DENIAL
from whyrec.interfaces import Claim, Evidence, Verdict

_REACH = 70
"""Characters over which a word of liking or comparing reaches the value that it is said of."""


def verify_interests(
    text: str, *, facts: InterestFacts, levels: LevelFacts | None = None, motives: MotiveFacts | None = None
) -> Verdict:
    """Find every checkable claim of a pattern or reason and compare it with the data.

    Args:
        text: About a user, in English; titles in quotation marks.
        facts: The history strictly before the moment in question; with a target for a reason, without for a pattern.
        levels: Of the target and the user on readable scales, where a text may speak of these.
        motives: Why the user takes things and what the target is known for, where a text may speak of these.

    Returns:
        All claims in the order of the text; ``claim.text == text[claim.start:claim.end]`` holds for each.
    """
    reading = read(plainly(text), facts=facts)
    claims = [*reading.titles]
    for sentence in _units(reading):
        claims += _sentence_claims(reading, sentence, facts=facts)
    told = list(_told(reading, levels=levels, motives=motives, item=facts.item))
    # "8 out of 10" is no count of the history there, and "a family torn apart" no genre.
    names = [] if levels is None else scale_names(reading.masked, levels)
    if levels is not None or motives is not None:
        names += [hit.span() for hit in FIGURES_OF_SCALE.finditer(reading.masked)]
    claims = [it for it in claims if not any(_overlap(it, other) for other in told) and not _lies_in(it, names)] + told
    claims += figure_claims(reading, claims=claims, facts=facts, has_scales=levels is not None or motives is not None)
    claims += hidden_claims(text)
    ordered = sorted(claims, key=lambda claim: (claim.start, claim.end, claim.kind))
    return Verdict(tuple(_with_text(claim, text) for claim in ordered))


def _units(reading: Reading) -> list[tuple[int, int]]:
    """Sentences; a question and its answer as one where only together they say something of a history."""
    units: list[tuple[int, int]] = []
    for sentence in reading.sentences:
        if units and reading.masked[units[-1][0] : units[-1][1]].rstrip().endswith("?"):
            asked = units[-1]
            is_habit = [is_about_user(reading, it) for it in (asked, sentence)]
            names = [bool(reading.mentions_in(it)) for it in (asked, sentence)]
            if (any(is_habit) and names in ([True, False], [False, True]) and is_habit[names.index(False)]) or (
                is_habit[0] and names == [True, False] and ANSWERS.search(reading.masked[slice(*sentence)])
            ):
                units[-1] = (asked[0], sentence[1])
                continue
        units.append(sentence)
    return units


def _sentence_claims(reading: Reading, sentence: tuple[int, int], *, facts: InterestFacts) -> list[Claim]:
    """What a sentence says of the history, piece by piece, and then of the item."""
    mentions = reading.mentions_in(sentence)
    habits, others = [], []
    for piece in pieces(reading, sentence):
        found = []
        if speaks_of_habits(reading, piece):
            named = [it for it in mentions if piece[0] <= it.start < piece[1] and not is_credit(reading, piece, it)]
            named = named or [it for it in reading.unsure if piece[0] <= it.start < piece[1]]
            found = list(habit_claims(reading, piece, mentions=named, facts=facts))
        habits += found
        others += [] if found else [piece]
    claims = [claim for claim, _ in habits]
    settled = {mention for _, values in habits for mention in values}
    left = [mention for mention in mentions if mention not in settled]
    counted = [it for piece in others for it in count_claims(reading, piece, mentions=mentions, facts=facts)]
    denied = {count.mention for count in counted if count.is_none}
    rest = [*_examples(reading, sentence), *(count.claim for count in counted)]
    if left:
        rest += times_claims(reading, sentence, mentions=left, facts=facts)
        rest += _directions(reading, sentence, mentions=left, facts=facts)
        rest += [_value_claim(reading, mention, facts=facts, is_denied=mention in denied) for mention in left]
    return claims + [claim for claim in rest if not any(_overlap(claim, other) for other in claims)]


def cited_evidence(verdict: Verdict, *, facts: InterestFacts) -> tuple[Evidence, ...]:
    """The evidence that a verdict's claims rest on, each once: title, attributes, aspects, earlier interactions.

    Levels, motivations and traits are left out: they are the method's own.
    """
    claims = [claim for claim in verdict.claims if claim.kind not in ("score", "motivation", "trait")]
    ids = dict.fromkeys(name for claim in claims for name in claim.evidence_ids)
    return tuple(_evidence(name, facts) for name in ids)


def _evidence(name: str, facts: InterestFacts) -> Evidence:
    kind, _, rest = name.partition(":")
    if kind == "interaction":
        return Evidence(name, "interaction", "chosen before", facts.catalogue.items[rest].title)
    if kind == "aspect":
        attribute, _, value = rest.partition("=")
        share = facts.count((attribute, value)) / max(len(facts.history), 1)
        return Evidence(name, "aspect", f"share of the history with {attribute} {value}", share)
    if kind == "attribute" and facts.item is not None:
        values = sorted(value for attribute, value in facts.item.traits if attribute == rest)
        return Evidence(name, "attribute", rest.replace("_", " "), ", ".join(values))
    if kind == "history":
        return Evidence(name, "interaction", "length of the history", float(len(facts.history)))
    return Evidence(name, "title", "title", "" if facts.item is None else facts.item.title)


def _value_claim(reading: Reading, mention: Mention, *, facts: InterestFacts, is_denied: bool) -> Claim:
    """A value must be the item's own; without an item, or in a contrast, the history must hold it."""
    said = reading.text[mention.start : mention.end]
    sentence = reading.sentence_of(mention.start)
    of_history = (
        facts.item is None
        or words.CONTRAST.search(reading.text, sentence[0], sentence[1]) is not None
        or (is_about_user(reading, sentence) and not is_credit(reading, sentence, mention))
    )
    if not of_history and facts.item is not None:
        held = [trait for trait in mention.traits if trait in facts.item.traits]
        if _is_denied(reading.masked, mention, start=sentence[0]):
            ids = tuple(dict.fromkeys(f"attribute:{attribute}" for attribute, _ in mention.traits))
            problem = f"the catalogue says so of “{facts.item.title}”" if held else ""
            return Claim("attribute", said, mention.start, mention.end, not held, ids, problem)
        ids = tuple(dict.fromkeys(f"attribute:{attribute}" for attribute, _ in held or mention.traits))
        problem = "" if held else f"the catalogue does not say so of “{facts.item.title}”"
        return Claim("attribute", said, mention.start, mention.end, bool(held), ids, problem)
    count = max((facts.count(trait) for trait in mention.traits), default=0)
    problem = "" if count or is_denied else "nothing in the history is so"
    return Claim("aspect", said, mention.start, mention.end, not problem, aspect_ids(mention), problem)


def _is_denied(masked: str, mention: Mention, *, start: int) -> bool:
    """Whether the item is said not to have a value: "not a western", "a western it is not"."""
    opening = masked[max(start, mention.start - 90) : mention.start].replace(FILLER, "x")
    if words.DENIES.search(opening) or DENIES_VALUE.search(opening[-40:]) or DENIES_CALLING.search(opening):
        return DOUBLE_DENIAL.search(opening) is None
    noun = words.VALUE_NOUN.match(masked[mention.end : mention.end + 40])
    return any(
        DENIED_AFTER.match(masked, end) for end in (mention.end, mention.end + (0 if noun is None else noun.end()))
    )


def _directions(
    reading: Reading, sentence: tuple[int, int], *, mentions: Sequence[Mention], facts: InterestFacts
) -> Iterator[Claim]:
    for pattern, is_more in ((words.MORE, True), (words.LIKING, True), (words.LESS, False)):
        for hit in pattern.finditer(reading.masked, *sentence):
            mention = reading.nearest(mentions, hit.start(), hit.end(), forward=pattern is words.LIKING)
            if mention is None or (pattern is words.LIKING and mention.start - hit.end() > _REACH):
                continue
            last = reading.window_of(mention)
            lifts = [facts.lift(trait, last=last) for trait in mention.traits]
            holds = any(lift > 1 for lift in lifts) if is_more else any(lift < 1 for lift in lifts)
            shown = max(lifts, default=0.0)
            problem = "" if holds else f"the share of this is {shown:.2g} times the average user's"
            yield Claim("aspect", hit[0], hit.start(), hit.end(), holds, aspect_ids(mention), problem)


def _examples(reading: Reading, sentence: tuple[int, int]) -> Iterator[Claim]:
    """An earlier title given as an example must have one of the values that its sentence speaks of."""
    mentions = reading.mentions_in(sentence)
    traits = {trait for mention in mentions for trait in mention.traits}
    for example in reading.examples:
        if not sentence[0] <= example.start < sentence[1] or not traits or not _gives_examples(reading, sentence):
            continue
        holds = any(traits & item.traits for item in example.items)
        if not holds:
            said = reading.text[example.start : example.end]
            yield Claim(
                "aspect", said, example.start, example.end, False, (), "it has none of the traits named beside it"
            )


def _has_space(reading: Reading, span: tuple[int, int]) -> bool:
    return " " in reading.masked[span[0] : span[1]]


def _gives_examples(reading: Reading, sentence: tuple[int, int]) -> bool:
    return words.EXAMPLES.search(reading.masked, *sentence) is not None


def _told(
    reading: Reading, *, levels: LevelFacts | None, motives: MotiveFacts | None, item: ItemTraits | None
) -> Iterator[Claim]:
    """Claims on levels, motivations and traits."""
    named = [(mention.start, mention.end) for mention in reading.mentions]
    # "A historical film" names a genre, "a historical setting" a level.
    genres = [
        it for it in named if words.VALUE_NOUN.match(reading.masked[it[1] : it[1] + 40]) or _has_space(reading, it)
    ]
    if levels is not None:
        yield from level_claims(reading.masked, levels, taken=genres)
    if motives is not None:
        # "A love story" may be a theme where the item is no romance.
        own = frozenset() if item is None else item.traits
        yield from motive_claims(
            reading.masked,
            motives,
            taken=[(it.start, it.end) for it in reading.mentions if item is None or not own.isdisjoint(it.traits)],
        )


def _lies_in(claim: Claim, spans: Sequence[tuple[int, int]]) -> bool:
    return any(start <= claim.start and claim.end <= end for start, end in spans)


def _overlap(one: Claim, other: Claim) -> bool:
    return one.start < other.end and other.start < one.end


def _with_text(claim: Claim, text: str) -> Claim:
    said = text[claim.start : claim.end]
    return Claim(claim.kind, said, claim.start, claim.end, claim.supported, claim.evidence_ids, claim.problem)
