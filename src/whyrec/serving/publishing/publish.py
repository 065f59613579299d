"""One version published: everything that runs say as of one moment, or nothing."""

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from whyrec.runtime.progress import progress_bar
from whyrec.serving.documents import ExplanationDocument
from whyrec.serving.publishing.boards import Ranking, forecast, make_boards
from whyrec.serving.publishing.catalogue import Described, read_catalogue
from whyrec.serving.publishing.explanations import Explaining
from whyrec.serving.publishing.items import ItemPages
from whyrec.serving.publishing.people import People
from whyrec.serving.publishing.settings import PublishSettings
from whyrec.serving.publishing.sources import Sources, open_sources
from whyrec.serving.store import Publication, Store

_DEFAULTS = PublishSettings()


@dataclass(frozen=True, slots=True)
class Published:
    """What a version holds."""

    version: int
    at: datetime
    n_users: int
    n_lists: int
    n_items: int
    n_explanations: int
    n_unverified: int
    """Of these, explanations of which not every claim holds; each is marked."""
    writers: tuple[tuple[str, int, int], ...]
    """Who wrote, how many explanations, and how many of them are not verified."""
    n_taken_in: int
    """Interactions that the store had taken in and the data did not hold."""
    n_unknown_items: int
    """Of those taken in, interactions with items that the catalogue does not hold: left out."""
    n_unknown_users: int
    """Of the users asked for, those without a history: they have no list."""
    removed: tuple[int, ...]
    """Versions that are not kept any more."""
    wall_time_s: float


def publish_runs(
    runs: Sequence[Path],
    store: Store,
    *,
    data: Path | None = None,
    at: datetime | None = None,
    user_ids: Iterable[str] | None = None,
    without_intake: bool = False,
    keep: int | None = 3,
    settings: PublishSettings = _DEFAULTS,
) -> Published:
    """Publish what runs say as one version; until it is complete nobody sees any of it.

    Args:
        runs: Run directories of the same data, one forecaster at most; recommenders in the order of preference.
        store: Where to.
        data: Where the data lie now; None for where the runs were fitted.
        at: Only interactions strictly before it are read; None reads all.
        user_ids: Who gets lists and pages; None for everybody with a history.
        without_intake: Read nothing of what the store has taken in.
        keep: How many of the newest versions are kept; None removes none.
        settings: Depths.

    Raises:
        InvalidConfigError: If there is no run, two of one method or two forecasters, or ``at`` is not valid.
        InvalidDataError: If a run cannot be read or was fitted on other data.
        OutputWriteError: If the store cannot be written; what was served still is.
    """
    started = time.perf_counter()
    sources = open_sources(runs, store, data_directory=data, at=at, without_intake=without_intake)
    name, records = sources.data.name, sources.records
    with store.publish(
        at=sources.at, dataset=name, runs=records, taken_until=sources.intake.taken_until
    ) as publication:
        work = _Work(sources, read_catalogue(sources.data.items), settings, publication)
        work.boards_and_items()
        work.people(user_ids)
    removed = [] if keep is None else store.retain(keep)
    return work.summary(removed, wall_time_s=time.perf_counter() - started)


@dataclass(slots=True, eq=False)
class _Work:
    """Makes documents, writes them, and counts."""

    sources: Sources
    catalogue: dict[str, Described]
    settings: PublishSettings
    publication: Publication
    counts: Counter[str] = field(default_factory=Counter)
    written: Counter[str] = field(default_factory=Counter)
    unverified: Counter[str] = field(default_factory=Counter)

    def boards_and_items(self) -> None:
        with progress_bar("Forecasting and explaining", total=None):
            ranking = forecast(self.sources, settings=self.settings)
        boards = make_boards(self.sources, ranking, self.catalogue, depth=self.settings.board_depth)
        self.publication.add_boards(boards)
        explanations = self._of_items(ranking)
        self._add_explanations(list(explanations.values()))
        pages = ItemPages(self.sources, self.catalogue, ranking.forecasts(), explanations)
        with progress_bar("Items", total=len(self.catalogue)) as step:
            for batch in pages.batches():
                self.publication.add_items(batch)
                self.counts["items"] += len(batch)
                step.advance(len(batch))

    def people(self, user_ids: Iterable[str] | None) -> None:
        people = People(self.sources, self.catalogue, self.settings)
        known = people.user_ids()
        asked = known if user_ids is None else sorted(set(user_ids) & set(known))
        self.counts["unknown users"] = 0 if user_ids is None else len(set(user_ids) - set(known))
        with progress_bar("Users", total=len(asked)) as step:
            for start in range(0, len(asked), self.settings.users_at_once):
                made = people.documents(asked[start : start + self.settings.users_at_once])
                self.publication.add_lists(made.lists)
                self._add_explanations(made.explanations)
                self.publication.add_users(made.users)
                self.counts["users"] += len(made.users)
                self.counts["lists"] += len(made.lists)
                step.advance(len(made.users))

    def summary(self, removed: Sequence[int], *, wall_time_s: float) -> Published:
        return Published(
            version=self.publication.id,
            at=self.sources.at,
            n_users=self.counts["users"],
            n_lists=self.counts["lists"],
            n_items=self.counts["items"],
            n_explanations=self.written.total(),
            n_unverified=self.unverified.total(),
            writers=tuple((writer, n, self.unverified[writer]) for writer, n in self.written.most_common()),
            n_taken_in=self.sources.intake.rows.height,
            n_unknown_items=self.sources.intake.n_unknown,
            n_unknown_users=self.counts["unknown users"],
            removed=tuple(removed),
            wall_time_s=wall_time_s,
        )

    def _of_items(self, ranking: Ranking) -> dict[str, ExplanationDocument]:
        run = self.sources.forecaster
        if run is None:
            return {}
        explaining = Explaining(run.method.name)
        return {item_id: explaining.item(told) for item_id, told in ranking.explained.items()}

    def _add_explanations(self, documents: Sequence[ExplanationDocument]) -> None:
        self.publication.add_explanations(documents)
        for it in documents:
            self.written[it.writer] += 1
            self.unverified[it.writer] += not it.verified
