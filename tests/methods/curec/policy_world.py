"""A model of a few thousand parameters and a handful of users, for the mechanics of tuning by rewards."""

from datetime import UTC, datetime, timedelta

from whyrec.data.item_lines import ItemText
from whyrec.llm.local.policy import Policy
from whyrec.llm.local.policy_config import GrpoConfig, ScratchConfig
from whyrec.llm.local.tiny_policy import tiny_policy
from whyrec.methods.curec.compact import CompactTemplate
from whyrec.methods.curec.histories import UserHistory

START = datetime(2020, 1, 1, tzinfo=UTC)
TEMPLATE = CompactTemplate(max_history=2)
GENRES = ("war", "space", "music")
N_ITEMS = 12
ITEMS = {f"i{n}": ItemText(f"i{n}", f"title{n}", {"genre": GENRES[n % 3]}) for n in range(N_ITEMS)}


def history(user_id: str, items: list[int], *, start: int = 0) -> UserHistory:
    """One item an hour."""
    times = tuple(START + timedelta(hours=start + n) for n in range(len(items)))
    return UserHistory(user_id, tuple(f"i{n}" for n in items), times)


HISTORIES = {f"u{n}": history(f"u{n}", [(n + 3 * k) % N_ITEMS for k in range(4)], start=5 * n) for n in range(6)}


def policy(*, seed: int = 0) -> Policy:
    """Untrained: it writes the words of the prompts and answers in any order."""
    labels = " ".join(f"title{n}" for n in range(N_ITEMS))
    texts = [
        f"took of choose likes now reason update pattern {labels} {' '.join(GENRES)}",
        f" because it is good\n{labels.replace(' ', ',')},<think>war</think><answer>title0</answer>,war,space,music",
        '{"pattern": ["war"], "reason": "because"}',
    ]
    return tiny_policy(texts, config=ScratchConfig(width=16, layers=1, heads=2, context=64), seed=seed)


def grpo(**settings: object) -> GrpoConfig:
    """Two prompts of four outputs."""
    small = {"group_size": 4, "prompts_per_step": 2, "outputs_at_once": 8, "max_output_tokens": 6}
    return GrpoConfig.model_validate({**small, "learning_rate": 1e-2, "kl_weight": 0.0, **settings})
