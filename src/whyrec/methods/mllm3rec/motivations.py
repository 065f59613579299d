"""Why users take things, as a language model infers it: the profile extractor (MOPE, M-LLM3REC §3.1).

The model is asked about everybody at once and its answers are kept in its cache, so a run that is killed goes on where
it was. An answer that is not as asked is counted and gives no profile; nothing is repaired.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from whyrec.data.item_lines import ItemText
from whyrec.errors import InvalidConfigError, PromptTooLongError
from whyrec.llm.base import Prompt, SamplingConfig
from whyrec.llm.model import LanguageModel
from whyrec.llm.reading import read_answer
from whyrec.methods.mllm3rec.answers import (
    parse_profile,
    profile_answer,
    profile_schema,
)
from whyrec.methods.mllm3rec.artefacts import Motivation, Profile
from whyrec.methods.mllm3rec.contexts import UserContext, history_block, metadata_line
from whyrec.methods.mllm3rec.equations import coherence
from whyrec.methods.mllm3rec.prompts import (
    Exemplar,
    Messages,
    profile_prompt,
    profile_question,
    reflection_prompt,
)
from whyrec.methods.mllm3rec.schema import MotivationSchema, default_schema

PROFILE_SAMPLING = SamplingConfig(max_tokens=900)


@dataclass(slots=True)
class ReflectionEffect:
    """What the second question changed, counted over all calls."""

    asked: int = 0
    refused: int = 0
    """Answers that were not as asked; the first profile then stands."""
    changed: int = 0
    """Profiles with another strength of some motivation."""
    dropped: int = 0
    """Motivations that were there before and are not after."""
    added: int = 0
    """Motivations that were not there before and are after."""


@dataclass(frozen=True)
class ProfileExtractor:
    """Asks a language model why users take things (M-LLM3REC Eqs. (3) and (6))."""

    model: LanguageModel
    items: Mapping[str, ItemText]
    """The catalogue in words, from ``item_texts``."""
    schema: MotivationSchema = field(default_factory=default_schema)
    exemplars: tuple[Exemplar, ...] = ()
    """Solved examples of training users, from ``profile_exemplar``. Chosen: two at most (M13)."""
    reflects: bool = True
    """Ask a second time whether the profile holds (M-LLM3REC §3.1.3)."""
    max_history: int = 20
    """The most interactions that are shown, the newest ones."""
    max_item_chars: int = 300
    """The longest line of an item."""
    sampling: SamplingConfig = PROFILE_SAMPLING
    failures: Counter[str] = field(default_factory=Counter)
    """Why answers were refused, over all calls: ``empty``, ``cut``, ``form``, ``outside the schema``, ..."""
    reflection: ReflectionEffect = field(default_factory=ReflectionEffect)

    def extract(self, contexts: Sequence[UserContext]) -> list[Profile | None]:
        """Infer a profile from each context.

        Args:
            contexts: What is known of each user; nothing in it may be later than the moment in question, which
                ``contexts_before`` sees to.

        Returns:
            In the order of ``contexts``; None where the answer could not be used.

        Raises:
            InvalidDataError: If there is neither a history nor a stated motivation of a user.
            InvalidConfigError: If an exemplar is of one of these users (M13).
            UnknownIdError: If an item is not in the catalogue.
            PromptTooLongError: Before anything is asked, if a prompt does not fit even with one interaction.
            EndpointError: If a server fails for good; what was answered before is in the cache.
        """
        for context in contexts:
            context.require_something()
        require_strangers(self.exemplars, [it.user_id for it in contexts if it.user_id is not None])
        shown, asked = self._prompts(contexts)
        first, texts = self._ask(shown, asked)
        if not self.reflects:
            return first
        held = [place for place, profile in enumerate(first) if profile is not None]
        again = [reflection_prompt(asked[place], answer=texts[place]) for place in held]
        second, _ = self._ask([shown[place] for place in held], again)
        return self._reflected(first, dict(zip(held, second, strict=True)))

    def coherence(self, contexts: Sequence[UserContext]) -> list[float]:
        """How well the profiles of a user agree that are each inferred from one interaction (M8): for the log.

        It asks a question for every interaction and does not reflect.

        Returns:
            One number per user, 0 to 1; NaN where there are fewer than two profiles.

        Raises:
            As ``extract``.
        """
        singles = [context.latest(self.max_history).single() for context in contexts]
        shown, asked = self._prompts([single for some in singles for single in some])
        profiles = iter(self._ask(shown, asked)[0])
        return [profile_coherence([next(profiles) for _ in some], schema=self.schema) for some in singles]

    def _prompts(self, contexts: Sequence[UserContext]) -> tuple[list[UserContext], list[Messages]]:
        """What is shown of each user, and the questions."""
        shown = [context.latest(self.max_history) for context in contexts]
        asked = [self._messages(context) for context in shown]
        limit = self.model.backend.context_tokens
        if limit is None or not asked:
            return shown, asked
        # A reflection shows the answer again, with a question of its own.
        room = limit - self.sampling.max_tokens * (2 if self.reflects else 1)
        lengths = self.model.backend.count_tokens([Prompt(messages) for messages in asked])
        for place, length in enumerate(lengths):
            if length > room:
                shown[place] = self._shortened(shown[place], room=room)
                asked[place] = self._messages(shown[place])
        return shown, asked

    def _shortened(self, context: UserContext, *, room: int) -> UserContext:
        """The longest newest part of a history that fits.

        Raises:
            PromptTooLongError: If not even one interaction does.
        """
        for n in range(len(context.taken) - 1, 0, -1):
            shorter = context.latest(n)
            if self.model.backend.count_tokens([Prompt(self._messages(shorter))])[0] <= room:
                return shorter
        raise PromptTooLongError(
            f"{context.owner}: expected a prompt of at most {room:,} tokens, got more even with one interaction. Take "
            "a model with a longer context, or lower max_item_chars or max_tokens."
        )

    def _messages(self, context: UserContext) -> Messages:
        return profile_prompt(
            schema=self.schema,
            history=history_block(context, self.items, max_item_chars=self.max_item_chars),
            wishes=context.stated.strip(),
            person=metadata_line(context.metadata),
            exemplars=self.exemplars,
        )

    def _ask(
        self, contexts: Sequence[UserContext], asked: Sequence[Messages]
    ) -> tuple[list[Profile | None], list[str]]:
        """Profiles and the texts that they were read from."""
        form = profile_schema(self.schema, n_history=max((len(it.taken) for it in contexts), default=0))
        completions = self.model.complete(list(map(Prompt, asked)), schema=form, sampling=self.sampling)
        profiles: list[Profile | None] = []
        for context, completion in zip(contexts, completions, strict=True):
            found = read_answer(completion, self._reader(context), self.failures)
            profiles.append(None if found is None else Profile(context.user_id, found, self.model.writer))
        return profiles, [completion.text for completion in completions]

    def _reader(self, context: UserContext) -> "_ProfileReader":
        return _ProfileReader(self.schema, context)

    def _reflected(self, first: Sequence[Profile | None], second: Mapping[int, Profile | None]) -> list[Profile | None]:
        """The second profiles where there are any, and what they changed counted."""
        after = list(first)
        for place, profile in second.items():
            before = first[place]
            self.reflection.asked += 1
            if profile is None or before is None:
                self.reflection.refused += 1
                continue
            after[place] = profile
            old, new = (np.array(self.schema.strengths(it)) for it in (before, profile))
            self.reflection.changed += bool((old != new).any())
            self.reflection.dropped += int(((old > 0) & (new == 0)).sum())
            self.reflection.added += int(((old == 0) & (new > 0)).sum())
        return after


@dataclass(frozen=True, slots=True)
class _ProfileReader:
    """Reads an answer about one user."""

    schema: MotivationSchema
    context: UserContext

    def __call__(self, text: str) -> tuple[Motivation, ...]:
        item_ids = [it.item_id for it in self.context.taken]
        needs_evidence = not self.context.stated.strip()
        return parse_profile(text, schema=self.schema, item_ids=item_ids, needs_evidence=needs_evidence)


def profile_exemplar(
    context: UserContext,
    profile: Profile,
    *,
    items: Mapping[str, ItemText],
    schema: MotivationSchema,
    max_item_chars: int = 300,
) -> Exemplar:
    """Make a solved example of a training user (M13).

    Args:
        context: What was known of the user.
        profile: What to infer from it, by a person or by another writer.
        items: The catalogue in words.
        schema: Which motivations there are.
        max_item_chars: The longest line of an item.

    Raises:
        InvalidDataError: If the profile names a motivation outside the schema.
        InvalidConfigError: If it is of another user, or rests on items that the context does not hold.
        UnknownIdError: If an item is not in the catalogue.
    """
    schema.require(profile)
    item_ids = [it.item_id for it in context.taken]
    stranger = next((it for one in profile.motivations for it in one.evidence if it not in item_ids), None)
    if stranger is not None or context.user_id != profile.user_id:
        raise InvalidConfigError(
            f"exemplar of {context.owner}: expected a {profile.owner} that rests on the same history, got "
            f"{'another user' if stranger is None else f'evidence {stranger!r}'}. Correct it."
        )
    question = profile_question(
        history=history_block(context, items, max_item_chars=max_item_chars),
        wishes=context.stated.strip(),
        person=metadata_line(context.metadata),
    )
    return Exemplar(question, profile_answer(profile.motivations, item_ids=item_ids), context.user_id)


def require_strangers(exemplars: Sequence[Exemplar], user_ids: Collection[str]) -> None:
    """Refuse exemplars of users who are asked about: they may hold the answer (M13).

    Raises:
        InvalidConfigError: Naming the first one.
    """
    asked = set(user_ids)
    known = next((it.user_id for it in exemplars if it.user_id is not None and it.user_id in asked), None)
    if known is not None:
        raise InvalidConfigError(
            f"exemplars: expected training users alone, got user {known!r}, who is asked about. Take another."
        )


def profile_coherence(profiles: Sequence[Profile | None], *, schema: MotivationSchema) -> float:
    """Agreement of one user's profiles: the mean cosine of their strengths over pairs (see M-LLM3REC Eq. (5); M8).

    Args:
        profiles: One per interaction; None, where there is no profile, is left out.
        schema: Which motivations there are.
    """
    return coherence(strength_similarity([it for it in profiles if it is not None], schema=schema))


def strength_similarity(profiles: Sequence[Profile], *, schema: MotivationSchema) -> Float[np.ndarray, "K K"]:
    """Cosine of the strengths of each pair of profiles; 0 with a profile that has none."""
    strengths = np.array([schema.strengths(profile) for profile in profiles], dtype=np.float64)
    if not len(strengths):
        return np.zeros((0, 0))
    lengths = np.linalg.norm(strengths, axis=1, keepdims=True)
    unit = strengths / np.where(lengths > 0, lengths, 1)
    similarity: np.ndarray = unit @ unit.T
    return similarity
