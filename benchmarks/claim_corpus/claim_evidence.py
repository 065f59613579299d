"""Which evidence a statement should be tied to, by the ids that explanations use."""

from typing import Any


def evidence_ids(says: list[Any], *, item_id: str) -> list[str]:
    """Ids for a statement such as ``["users", "2013-10", "about", 160]``."""
    what, first = says[0], says[1]
    if what in ("users", "peak", "trough"):
        return [f"month:{first}"]
    if what in ("direction", "run", "ratio", "percent", "more", "since"):
        return [f"month:{first}", f"month:{says[2]}"]
    if what == "forecast_vs":
        return ["forecast", f"month:{first}"]
    if what in ("forecast", "total", "rank", "history"):
        return [what]
    simple = {
        "extreme_users": ["month:*"],
        "first": ["first_seen"],
        "recent": [f"recent:{first}d"],
        "low": ["forecast:low"],
        "high": ["forecast:high"],
        "genre": ["attribute:genres"],
        "year": ["attribute:year"],
        "decade": ["attribute:year"],
        "director": ["attribute:director"],
        "actor": ["attribute:actors"],
        "title": ["title"],
        "seen": [f"interaction:{first}"],
        "motivation": [f"motivation:{first}"],
        "strongest": [f"motivation:{first}"],
        "trait": [f"trait:{first}"],
        "level": [f"level:{first}:{says[2] if len(says) > 2 else ''}"],
        "level_value": [f"level:{first}:{says[2] if len(says) > 2 else ''}"],
        "versus_mean": [f"level:item:{first}", f"level:mean:{first}"],
        "versus_user": [f"level:item:{first}", f"level:user:{first}"],
        "same_side": [f"level:item:{first}", f"level:user:{first}"],
    }
    if what in simple:
        return simple[what]
    return [f"aspect:genres={str(first).lower().replace('-', ' ')}"]
