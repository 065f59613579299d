"""Check a text about what a user likes, and why an item suits them, whoever wrote it.

Five things are looked at: titles (of the item, or of the history before the moment in question), values of attributes
(of the item; of the history where the text says so), counts ("four of the last ten"), how a user's share compares with
the average user's ("more often than the average viewer", "three times as often"), and habits ("most of all"). Where
they are known, also levels on readable scales, motivations and traits.
"""

from collections.abc import Iterator, Sequence

from whyrec.evaluation.verification import interest_words as words
from whyrec.evaluation.verification.habits import habit_claims, speaks_of_habits
from whyrec.evaluation.verification.hidden import hidden_claims
from whyrec.evaluation.verification.interest_facts import InterestFacts
from whyrec.evaluation.verification.interest_mentions import Mention, Reading, read
from whyrec.evaluation.verification.interest_numbers import (
    aspect_ids,
    count_claims,
    figure_claims,
    times_claims,
    times_habits,
)
from whyrec.evaluation.verification.levels import LevelFacts, level_claims
from whyrec.evaluation.verification.lexicon import DENIES_VALUE
from whyrec.evaluation.verification.motives import MotiveFacts, motive_claims
from whyrec.evaluation.verification.portions import portion_claims
from whyrec.evaluation.verification.turning import turning_claims
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
    reading = read(text, facts=facts)
    claims = [*reading.titles]
    for sentence in reading.sentences:
        mentions = named = reading.mentions_in(sentence)
        portions = list(portion_claims(reading, sentence, mentions=mentions, facts=facts))
        parts = [claim for portion in portions for claim in portion.claims]
        claims += parts
        counted_values = {portion.mention for portion in portions}
        mentions = [mention for mention in mentions if mention not in counted_values]
        if speaks_of_habits(reading, sentence):
            habits = [
                *turning_claims(reading, sentence, mentions=mentions, facts=facts),
                *times_habits(reading, sentence, mentions=mentions, facts=facts),
            ] or list(habit_claims(reading, sentence, mentions=mentions, facts=facts))
            settled = {mention for _, values in habits for mention in values}
            claims += [claim for claim, _ in habits]
            if settled:
                mentions = [mention for mention in mentions if mention not in settled]
                if not mentions:
                    continue
        counted = count_claims(reading, sentence, mentions=mentions, facts=facts)
        counted = [count for count in counted if not any(_overlap(count.claim, part) for part in parts)]
        denied = {count.mention for count in counted if count.is_none}
        claims += _examples(reading, sentence)
        claims += [count.claim for count in counted]
        ratios = times_claims(reading, sentence, mentions=named, facts=facts)
        claims += [claim for claim in ratios if not any(_overlap(claim, part) for part in parts)]
        directions = _directions(reading, sentence, mentions=named, facts=facts)
        claims += [claim for claim in directions if not any(_overlap(claim, part) for part in parts)]
        claims += [_value_claim(reading, mention, facts=facts, is_denied=mention in denied) for mention in mentions]
    told = [] if levels is None else list(level_claims(reading.masked, levels))
    told += [] if motives is None else motive_claims(reading.masked, motives)
    # "8 out of 10" is no count of the history there, and "a family torn apart" no genre.
    claims = [claim for claim in claims if not any(_overlap(claim, other) for other in told)] + told
    claims += figure_claims(reading, claims=claims, facts=facts)
    claims += hidden_claims(text)
    ordered = sorted(claims, key=lambda claim: (claim.start, claim.end, claim.kind))
    return Verdict(tuple(_with_text(claim, text) for claim in ordered))


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
        or speaks_of_habits(reading, sentence)
    )
    if not of_history and facts.item is not None:
        held = [trait for trait in mention.traits if trait in facts.item.traits]
        if DENIES_VALUE.search(reading.masked, max(sentence[0], mention.start - 40), mention.start):
            ids = tuple(dict.fromkeys(f"attribute:{attribute}" for attribute, _ in mention.traits))
            problem = f"the catalogue says so of “{facts.item.title}”" if held else ""
            return Claim("attribute", said, mention.start, mention.end, not held, ids, problem)
        ids = tuple(dict.fromkeys(f"attribute:{attribute}" for attribute, _ in held or mention.traits))
        problem = "" if held else f"the catalogue does not say so of “{facts.item.title}”"
        return Claim("attribute", said, mention.start, mention.end, bool(held), ids, problem)
    count = max((facts.count(trait) for trait in mention.traits), default=0)
    problem = "" if count or is_denied else "nothing in the history is so"
    return Claim("aspect", said, mention.start, mention.end, not problem, aspect_ids(mention), problem)


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
        if not sentence[0] <= example.start < sentence[1] or not traits:
            continue
        if words.TAKEN_BEFORE.search(reading.masked[max(sentence[0], example.start - 30) : example.start - 1]):
            continue
        holds = any(traits & item.traits for item in example.items)
        if not holds:
            said = reading.text[example.start : example.end]
            yield Claim(
                "aspect", said, example.start, example.end, False, (), "it has none of the traits named beside it"
            )


def _overlap(one: Claim, other: Claim) -> bool:
    return one.start < other.end and other.start < one.end


def _with_text(claim: Claim, text: str) -> Claim:
    said = text[claim.start : claim.end]
    return Claim(claim.kind, said, claim.start, claim.end, claim.supported, claim.evidence_ids, claim.problem)
