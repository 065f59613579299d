"""Answer many prompts with one model: who goes first, who may join the batch, and each answer as soon as it is done.

transformers' own ``generate`` is not used. There a batch ends with its slowest row, every prompt is padded to the
longest, a common beginning is computed for each prompt anew, and one seed is shared by the batch. Here rows leave as
soon as they are done and others take their places (continuous batching), prompts that begin alike share that
beginning, and each prompt has random numbers of its own, so that it is answered in a batch as it is alone.
"""

from collections import deque
from collections.abc import Generator, Sequence

import torch

from whyrec.errors import LanguageModelError
from whyrec.llm.base import Answer, Prompt, SamplingConfig
from whyrec.llm.grammar import Grammars, TokenMasks
from whyrec.llm.local.batch import LivingBatch, Row, Rules
from whyrec.llm.local.decoding import AnswerText, draws_of
from whyrec.llm.local.loading import LoadedModel
from whyrec.llm.local.prefixes import prefix_groups
from whyrec.llm.local.settings import LocalSettings
from whyrec.llm.structured import OutputSchema

# Taking rows in costs a forward pass: wait until they make up this share of the batch.
_WORTH_JOINING = 0.25


def generate(
    loaded: LoadedModel,
    prompts: Sequence[Prompt],
    tokens: Sequence[list[int]],
    *,
    settings: LocalSettings,
    sampling: SamplingConfig,
    schema: OutputSchema | None,
    grammars: Grammars,
) -> Generator[tuple[int, Answer], None, None]:
    """Answer prompts that are known to fit, each as soon as it is done.

    Args:
        loaded: The model.
        prompts: What is asked.
        tokens: The same, as the model reads it; none is empty.
        settings: Limits of the batch.
        sampling: How tokens are chosen.
        schema: What answers must obey.
        grammars: The model's compiled schemas.

    Raises:
        LanguageModelError: If memory runs out.
        InvalidConfigError: If the schema cannot be forced.
    """
    text = AnswerText(loaded.tokenizer, sampling.stop)
    rows = finished_rows(
        loaded,
        tokens,
        samples=[prompt.sample for prompt in prompts],
        settings=settings,
        sampling=sampling,
        schemas=None if schema is None else [schema] * len(tokens),
        grammars=grammars,
    )
    for row in rows:
        yield row.position, _answer(row, text)


def finished_rows(
    loaded: LoadedModel,
    tokens: Sequence[list[int]],
    *,
    samples: Sequence[int],
    settings: LocalSettings,
    sampling: SamplingConfig,
    schemas: Sequence[OutputSchema] | None,
    grammars: Grammars,
) -> Generator[Row, None, None]:
    """Answer prompts in tokens, for those who need the tokens of the answers; else as ``generate``.

    Args:
        loaded: The model.
        tokens: Prompts that are known to fit; none is empty.
        samples: Of each: equal prompts with other numbers are answered by other draws.
        settings: Limits of the batch.
        sampling: How tokens are chosen.
        schemas: What each answer must obey; None lets the model write anything.
        grammars: The model's compiled schemas.

    Raises:
        LanguageModelError: If memory runs out.
        InvalidConfigError: If a schema cannot be forced.
    """
    masks = None if schemas is None else TokenMasks(loaded.n_logits)
    text = AnswerText(loaded.tokenizer, sampling.stop)
    batch = LivingBatch(loaded.rows, Rules(sampling, loaded.stop_tokens, text, masks))
    waiting = deque(_planned(tokens, samples=samples, sampling=sampling, shortest=settings.min_shared_prefix))
    while waiting or batch.rows:
        n = _n_joining(batch, waiting, settings=settings)
        try:
            if n:
                joining = [waiting.popleft() for _ in range(n)]
                for row in joining:
                    row.matcher = None if schemas is None else grammars.matcher(schemas[row.position])
                batch.join(joining, most_rows=_most_rows(batch, joining, len(waiting), settings=settings))
            done = batch.step()
        except torch.OutOfMemoryError as error:
            raise LanguageModelError(
                f"{loaded.identity.model}: expected {len(batch.rows)} prompts at once to fit in memory, got out of "
                f"memory. Lower token_budget (now {settings.token_budget:,}) or max_batch_size."
            ) from error
        yield from done


def _planned(
    tokens: Sequence[list[int]], *, samples: Sequence[int], sampling: SamplingConfig, shortest: int
) -> list[Row]:
    """Put prompts in the order of asking: those that begin alike together, longer ones first.

    Longer ones first, so that memory runs out early if at all, and short ones fill the gaps at the end.
    """
    rows = []
    for group in prefix_groups(tokens, shortest=shortest):
        for position in sorted(group.members, key=lambda member: -len(tokens[member])):
            draws = draws_of(sampling, sample=samples[position], tokens=tokens[position])
            rows.append(Row(position, tokens[position], group.length, draws))
    return rows


def _n_joining(batch: LivingBatch, waiting: Sequence[Row], *, settings: LocalSettings) -> int:
    """How many of the waiting rows to take in now."""
    longest = max((batch.need(row) for row in batch.rows), default=0)
    n_live = len(batch.rows)
    n = 0
    for row in waiting:
        longest = max(longest, batch.need(row))
        rows = n_live + n + 1
        if rows > settings.max_batch_size or (rows > 1 and rows * longest > settings.token_budget):
            break
        n += 1
    return n if n == len(waiting) or n >= _WORTH_JOINING * (n_live + n) else 0


def _most_rows(batch: LivingBatch, joining: Sequence[Row], n_waiting: int, *, settings: LocalSettings) -> int:
    rows = [*batch.rows, *joining]
    by_budget = settings.token_budget // max(batch.need(row) for row in rows)
    return max(len(rows), min(settings.max_batch_size, by_budget, len(rows) + n_waiting))


def _answer(row: Row, text: AnswerText) -> Answer:
    answer, has_stopped = text.read(row.answer)
    finish = "stop" if has_stopped else row.finish
    return Answer(answer, finish, len(row.prompt), len(row.answer), seconds=row.seconds, note=row.note)
