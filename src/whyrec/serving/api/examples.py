"""Examples of answers for the OpenAPI document: a small world of two films."""

from typing import Any

Example = dict[str, Any]  # JSON

REASON: Example = {
    "text": "Watched by 41 people in the last 30 days after 12 in the 30 before.",
    "writer": "offline",
    "verified": True,
    "n_claims": 2,
    "n_supported": 2,
    "basis": "trending",
}
ENTRY: Example = {
    "rank": 1,
    "item_id": "1454468",
    "title": "Gravity (2013)",
    "score": 52.0,
    "attributes": {"genres": ["Drama", "Sci-Fi"]},
    "reason": REASON,
}
BOARD: Example = {
    "version": 12,
    "total": 200,
    "window": "next",
    "label": "the 30 days from 7 November 2013",
    "start": "2013-11-07T00:00:00Z",
    "end": "2013-12-07T00:00:00Z",
    "method": "trail",
    "entries": [{**ENTRY, "expected": 52.0, "low": 38.0, "high": 71.0, "recent": [1, 0, 2, 3]}],
}
LIST: Example = {
    "version": 12,
    "total": 50,
    "user_id": "1492",
    "method": "curec",
    "source": "personal",
    "note": "from the 34 items that you rated",
    "entries": [ENTRY],
}
EXPLANATION: Example = {
    "version": 12,
    "item_id": "1454468",
    "title": "Gravity (2013)",
    "user_id": None,
    "method": "trail",
    "rank": 1,
    "score": 52.0,
    "text": "Watched by 41 people in the last 30 days.",
    "sections": {"trend": "Watched by 41 people in the last 30 days."},
    "claims": [
        {
            "kind": "count",
            "text": "41 people",
            "start": 11,
            "end": 20,
            "supported": True,
            "evidence_ids": ["month:2013-10"],
            "problem": "",
        }
    ],
    "evidence": [{"id": "month:2013-10", "kind": "count", "label": "October 2013", "value": 41, "unit": "users"}],
    "writer": "offline",
    "verified": True,
}
ITEM: Example = {
    "version": 12,
    "item_id": "1454468",
    "title": "Gravity (2013)",
    "description": "",
    "attributes": {"genres": ["Drama", "Sci-Fi"]},
    "first_seen": "2013-09-28",
    "total_users": 41,
    "history": [
        {
            "id": "month:2013-10",
            "label": "October 2013",
            "start": "2013-10-01T00:00:00Z",
            "end": "2013-11-01T00:00:00Z",
            "users": 41,
            "complete": True,
        }
    ],
    "forecast": {
        "start": "2013-11-07T00:00:00Z",
        "end": "2013-12-07T00:00:00Z",
        "rank": 1,
        "expected": 52.0,
        "low": 38.0,
        "high": 71.0,
        "method": "trail",
    },
    "traits": [],
    "aspects": [],
    "explanation": None,
}
USER: Example = {
    "version": 12,
    "user_id": "1492",
    "n_interactions": 34,
    "newest": [{"item_id": "1454468", "title": "Gravity (2013)", "timestamp": "2013-11-05T20:15:00Z"}],
    "methods": ["curec"],
    "pattern": {"text": "Science fiction in space.", "writer": "offline", "verified": True},
    "motivations": [],
    "aspects": [],
}
MATCHES: Example = {
    "version": 12,
    "query": "grav",
    "items": [{"item_id": "1454468", "title": "Gravity (2013)"}],
}
SHIFTED: Example = {
    "version": 12,
    "user_id": "1492",
    "aspect": "tension",
    "amount": -0.5,
    "mean_level_before": 6.4,
    "mean_level_after": 5.1,
    "entries": [{"rank": 1, "rank_before": 4, "item_id": "1454468", "title": "Gravity (2013)", "score": 0.71}],
    "left": [{"item_id": "1024648", "title": "Argo (2012)"}],
}
STATED: Example = {"version": 12, "entries": [ENTRY]}
ASPECTS: list[Example] = [{"key": "tension", "name": "Tension", "low": "calm", "high": "nerve-racking"}]
VERSION: Example = {
    "id": 12,
    "created": "2013-11-07T03:00:00Z",
    "dataset": "movietweetings",
    "at": "2013-11-07T00:00:00Z",
    "runs": [{"method": "curec", "directory": "curec", "fitted_until": "2013-11-07T00:00:00Z"}],
    "windows": ["next", "7d", "30d"],
    "n_users": 2890,
    "n_items": 4210,
    "n_explanations": 28900,
    "n_unverified": 0,
}
RECEIPT: Example = {"key": "3f1c9a52", "accepted": 1, "repeated": False}
REPEATED: Example = {"key": "3f1c9a52", "accepted": 1, "repeated": True}
ERASED: Example = {"user_id": "1492", "interactions": 3, "lists": 2, "explanations": 20, "profiles": 1}
BATCH: Example = {
    "interactions": [{"user_id": "1492", "item_id": "1454468", "timestamp": "2013-11-07T20:15:00Z", "rating": 9.0}]
}


def error(code: str, message: str) -> Example:
    """An error."""
    return {"error": {"code": code, "message": message}}
