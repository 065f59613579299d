"""Two models by role, a cheap one that extracts and a strong one that ranks (M-LLM3REC §5.2.4), and what they cost."""

from dataclasses import dataclass

import polars as pl

from whyrec.errors import InvalidConfigError
from whyrec.llm.model import LanguageModel
from whyrec.llm.usage import Usage, money

USAGE_SCHEMA = {
    "role": pl.String,
    "model": pl.String,
    "asked": pl.Int64,
    "cached": pl.Int64,
    "failed": pl.Int64,
    "prompt_tokens": pl.Int64,
    "completion_tokens": pl.Int64,
    "cost": pl.Float64,
    "tokens_per_user": pl.Float64,
    "cost_per_user": pl.Float64,
}


@dataclass(frozen=True)
class Models:
    """Who does what. One model may do both."""

    extractor: LanguageModel
    """Writes profiles and traits: many easy questions."""
    ranker: LanguageModel
    """Orders candidates, and writes and checks rationales: few hard ones."""

    @classmethod
    def one(cls, model: LanguageModel) -> "Models":
        """The same model for everything."""
        return cls(model, model)

    @property
    def by_role(self) -> dict[str, LanguageModel]:
        """Each model once, under its role or roles."""
        if self.extractor is self.ranker:
            return {"extractor and ranker": self.extractor}
        return {"extractor": self.extractor, "ranker": self.ranker}

    def usage(self, *, n_users: int) -> pl.DataFrame:
        """What was asked so far and what it cost for each user.

        Tokens and cost are of what was asked now; what a cache held cost nothing. Items are asked about once, so the
        extractor's share falls with the number of users.

        Args:
            n_users: Over how many users it is spread.

        Returns:
            One row per role, see ``USAGE_SCHEMA``; costs are null where no price is known.

        Raises:
            InvalidConfigError: If ``n_users`` is below 1.
        """
        if n_users < 1:
            raise InvalidConfigError(f"usage: expected n_users of at least 1, got {n_users}. Count the users.")
        rows = [_row(role, model.identity.model, model.usage, n_users=n_users) for role, model in self.by_role.items()]
        return pl.DataFrame(rows, schema=USAGE_SCHEMA, orient="row")

    def summary(self, *, n_users: int) -> str:
        """The same in a line per role, for the end of a run."""
        lines = []
        for role, model in self.by_role.items():
            cost = model.usage.cost
            share = money(None if cost is None else cost / n_users, model.usage.price)
            lines.append(f"{role}, {model.identity.model}: {model.usage.summary()}; {share} per user")
        return "\n".join(lines)


def _row(role: str, name: str, usage: Usage, *, n_users: int) -> tuple[object, ...]:
    tokens = usage.prompt_tokens + usage.completion_tokens
    return (
        role,
        name,
        usage.asked,
        usage.cached,
        usage.failed,
        usage.prompt_tokens,
        usage.completion_tokens,
        usage.cost,
        tokens / n_users,
        None if usage.cost is None else usage.cost / n_users,
    )
