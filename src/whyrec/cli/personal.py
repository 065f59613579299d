"""A user's list with its reasons, printed for people."""

from collections.abc import Iterator, Mapping, Sequence

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

Record = Mapping[str, object]

_INDENT = 5
_SHARED = "Interests"
"""The section that is the same for all items of a list, and stands above them."""
_BY_OTHERS = "Others"
"""The section that is shown reason by reason."""


def print_recommendations(records: Sequence[Record], *, heading: str, console: Console, most_reasons: int = 3) -> None:
    """Print the user's interests once, then every item with its reasons and how many of their claims hold.

    Args:
        records: As ``ExplainedEntry.record`` makes them, all of one user.
        heading: Whose list it is.
        console: Where.
        most_reasons: Of other users, for each item; verified ones.
    """
    if not records:
        return
    console.print(heading, style="bold")
    interests = _sections(records[0]).get(_SHARED)
    if interests is not None:
        _indented(Text(interests), console)
    for record in records:
        console.print()
        print_recommendation(record, console=console, most_reasons=most_reasons)


def print_recommendation(record: Record, *, console: Console, most_reasons: int = 3) -> None:
    """Print one item: its place and how much of its text holds, the reasons for this very user, those of others."""
    line = Table.grid(padding=(0, 2, 0, 0), expand=True)
    line.add_column(justify="right", min_width=_INDENT - 2)
    line.add_column(ratio=1)
    line.add_column(justify="right", no_wrap=True)
    place = "had before" if record["rank"] is None else str(record["rank"])
    line.add_row(place, Text(f"{record['title']} ({record['item_id']})", "bold"), _checked(record))
    console.print(line)
    for name, told in _sections(record).items():
        if name not in (_SHARED, _BY_OTHERS):
            _indented(Text(told), console)
    if "aspects" in record:
        _indented(_bars(record["aspects"]), console)
    reasons = record.get("reasons", [])
    assert isinstance(reasons, list), "the record of an entry lists the reasons"
    # What is not verified ranks, but is not told.
    for reason in [reason for reason in reasons if reason["verified"]][:most_reasons]:
        _indented(_others(reason), console)
    for remark in _remarks(record):
        _indented(remark, console)


def _bars(aspects: object) -> Table:
    """Levels of item and user from 1 to 10, and what each aspect moves the score by; what moves it most comes first."""
    assert isinstance(aspects, list), "the record of an entry lists the aspects"
    table = Table.grid(padding=(0, 2, 0, 0))
    for row in sorted(aspects, key=lambda row: -abs(row["push"])):
        item, user = (_bar(row[f"{whose}_level"]) for whose in ("item", "user"))
        table.add_row(Text(row["name"]), Text(f"item {item}"), Text(f"user {user}"), Text(f"{row['push']:+.3f}"))
    return table


def _bar(level: float | None) -> str:
    return "not known".ljust(15) if level is None else f"{'█' * round(level):·<10} {level:4.1f}"


def _others(reason: Mapping[str, object]) -> Text:
    weight = reason["attention"]
    seen = "another user" if weight is None else f"{_percent(weight)} of the attention, another user"
    day = str(reason["timestamp"])[:10]
    return Text.assemble((f"{seen}, {day}: ", "dim"), str(reason["text"]))


def _checked(record: Record) -> Text:
    claims = _claims(record)
    n_held = sum(bool(claim["supported"]) for claim in claims)
    return Text(f"{n_held} of {len(claims)} claims", "green" if record["verified"] else "bold red")


def _remarks(record: Record) -> Iterator[Text]:
    for claim in _claims(record):
        if not claim["supported"]:
            yield Text(f"not borne out: {claim['text']} ({claim['problem']})", "red")
    if record["writer"] != "offline":
        yield Text(f"written by {record['writer']}", "dim")


def _sections(record: Record) -> Mapping[str, str]:
    sections = record["sections"]
    assert isinstance(sections, dict), "the record of an entry lists the sections"
    return sections


def _claims(record: Record) -> list[Mapping[str, object]]:
    claims = record["claims"]
    assert isinstance(claims, list), "the record of an entry lists the claims"
    return claims


def _indented(told: RenderableType, console: Console) -> None:
    console.print(Padding(told, (0, 0, 0, _INDENT), expand=False))


def _percent(share: object) -> str:
    assert isinstance(share, float), "attention is a share"
    return f"{share:.0%}"
