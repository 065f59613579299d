"""What asking a model took: counts, tokens and money, for the line at the end of a run and for a dry run."""

from dataclasses import dataclass

from whyrec.llm.base import Answer


@dataclass(frozen=True, slots=True)
class Price:
    """What a model costs."""

    input_per_million: float
    """For a million prompt tokens."""
    output_per_million: float
    """For a million tokens of answers."""
    currency: str = "USD"

    def of(self, *, prompt_tokens: int, completion_tokens: int) -> float:
        """The cost of these tokens."""
        return (prompt_tokens * self.input_per_million + completion_tokens * self.output_per_million) / 1e6

    def of_answer(self, answer: Answer) -> float:
        """The cost of one answer with its prompt."""
        return self.of(prompt_tokens=answer.prompt_tokens, completion_tokens=answer.completion_tokens)


FREE = Price(0.0, 0.0)
"""A model on one's own machine."""


@dataclass(slots=True)
class Usage:
    """Running totals. Tokens, cost and retries are of what was asked now; what the cache held costs nothing."""

    price: Price | None = None
    """None where nobody gave one: the cost is then unknown, not zero."""
    asked: int = 0
    cached: int = 0
    failed: int = 0
    """Answers that do not obey their schema, cached ones too."""
    retried: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    """Time that callers waited for answers."""

    def add(self, answer: Answer) -> None:
        """Count an answer that was asked for now."""
        self.asked += 1
        self.retried += answer.attempts - 1
        self.prompt_tokens += answer.prompt_tokens
        self.completion_tokens += answer.completion_tokens

    @property
    def cost(self) -> float | None:
        """What was paid, or None where the price is unknown."""
        if self.price is None:
            return None if self.asked else 0.0
        return self.price.of(prompt_tokens=self.prompt_tokens, completion_tokens=self.completion_tokens)

    def summary(self) -> str:
        """One line for the end of a run."""
        rate = f", {self.asked / self.seconds:,.1f} a second" if self.asked and self.seconds > 0 else ""
        return (
            f"{self.asked:,} asked{rate}, {self.cached:,} from cache, {self.failed:,} failed schema, "
            f"{self.retried:,} retried, {self.prompt_tokens:,} + {self.completion_tokens:,} tokens, {self.cost_text()}"
        )

    def cost_text(self) -> str:
        """The cost for people."""
        return money(self.cost, self.price)


@dataclass(frozen=True, slots=True)
class Estimate:
    """What asking would take; nothing was asked."""

    prompts: int
    """Distinct prompts."""
    cached: int
    """Of these, in the cache: free."""
    prompt_tokens: int
    """Of those to ask."""
    completion_tokens: int
    """Of the answers: by the mean of earlier answers of this model in the cache, else the most allowed."""
    completion_tokens_are_upper_bound: bool
    price: Price | None
    seconds: float | None
    """By the rate of this model's earlier answers in the cache; None where there are none."""

    @property
    def to_ask(self) -> int:
        """Prompts that would be asked."""
        return self.prompts - self.cached

    @property
    def cost(self) -> float | None:
        """What would be paid, or None where the price is unknown."""
        if self.price is None:
            return None if self.to_ask else 0.0
        return self.price.of(prompt_tokens=self.prompt_tokens, completion_tokens=self.completion_tokens)

    def summary(self) -> str:
        """One line for people."""
        most = "at most " if self.completion_tokens_are_upper_bound else "about "
        time = "time unknown (no earlier run to go by)" if self.seconds is None else f"about {duration(self.seconds)}"
        return (
            f"{self.prompts:,} prompts, {self.cached:,} of them in the cache; {self.to_ask:,} to ask: "
            f"{self.prompt_tokens:,} prompt tokens, {most}{self.completion_tokens:,} tokens of answers, "
            f"{money(self.cost, self.price)}, {time if self.to_ask else 'no time'}"
        )


def money(amount: float | None, price: Price | None) -> str:
    """A cost for people: free, unknown, or with its currency."""
    if amount is None:
        return "cost unknown (no price given)"
    if amount == 0:
        return "no cost"
    currency = price.currency if price is not None else ""
    return f"{amount:,.2f} {currency}" if amount >= 0.1 else f"{amount:.2g} {currency}"


def duration(seconds: float) -> str:
    """A time for people: ``40 s``, ``12 min``, ``3.5 h``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
