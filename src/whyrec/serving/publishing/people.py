"""Pages and lists of users, some users at a time."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from whyrec.data import schema
from whyrec.methods.curec.model import CURecRecommender
from whyrec.methods.guided.model import GuidedRecommender
from whyrec.methods.mllm3rec.artefacts import STRENGTHS
from whyrec.methods.mllm3rec.model import MLLM3Recommender
from whyrec.recommending.explained import ListExplainer
from whyrec.serving.documents import (
    AspectBar,
    Entry,
    ExplanationDocument,
    Pattern,
    PersonalList,
    Reason,
    RecentItem,
    TraitDocument,
    UserPage,
)
from whyrec.serving.publishing.catalogue import Described
from whyrec.serving.publishing.explanations import Explaining, personal_reason
from whyrec.serving.publishing.items import level_bars
from whyrec.serving.publishing.settings import PublishSettings
from whyrec.serving.publishing.sources import OpenRecommender, Sources


@dataclass(frozen=True, slots=True)
class PeopleDocuments:
    """Documents of some users."""

    lists: list[PersonalList] = field(default_factory=list)
    explanations: list[ExplanationDocument] = field(default_factory=list)
    users: list[UserPage] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """Makes the documents of users."""

    sources: Sources
    catalogue: Mapping[str, Described]
    settings: PublishSettings

    def user_ids(self) -> list[str]:
        """Everybody with a history before the moment, sorted."""
        known = pl.col(schema.ITEM).is_in(pl.Series(list(self.catalogue), dtype=pl.String).implode())
        log = self.sources.data.before(self.sources.at).filter(known)
        return log.select(pl.col(schema.USER).unique()).collect().to_series().sort().to_list()

    def documents(self, user_ids: Sequence[str]) -> PeopleDocuments:
        """Lists, explanations and pages of some users with a history."""
        made, histories = PeopleDocuments(), self._histories(user_ids)
        for recommender in self.sources.recommenders:
            self._add_lists(made, recommender, histories)
        methods: dict[str, list[str]] = {user_id: [] for user_id in user_ids}
        for found in made.lists:
            methods[found.user_id].append(found.method)
        levels = self._bars(user_ids)
        made.users.extend(
            UserPage(
                user_id=user_id,
                n_interactions=histories[user_id].height,
                newest=self._newest(histories[user_id]),
                methods=tuple(methods[user_id]),
                pattern=self._pattern(user_id),
                motivations=self._motivations(user_id),
                aspects=levels.get(user_id, ()),
            )
            for user_id in user_ids
        )
        return made

    def _histories(self, user_ids: Sequence[str]) -> dict[str, pl.DataFrame]:
        log = self.sources.data.of_users(user_ids).before(self.sources.at).collect()
        known = log.filter(pl.col(schema.ITEM).is_in(list(self.catalogue)))
        found = known.partition_by(schema.USER, as_dict=True)
        return {user_id: found.get((user_id,), known.clear()) for user_id in user_ids}

    def _add_lists(
        self, made: PeopleDocuments, recommender: OpenRecommender, histories: Mapping[str, pl.DataFrame]
    ) -> None:
        lists = recommender.model.recommend(
            self.sources.data, user_ids=list(histories), k=self.settings.depth, unknown="skip", at=self.sources.at
        )
        for (user_id,), rows in lists.partition_by(schema.USER, as_dict=True).items():
            told = self._told(recommender, str(user_id))
            made.explanations.extend(told.documents)
            made.lists.append(
                PersonalList(
                    user_id=str(user_id),
                    method=recommender.method,
                    source="personal",
                    note=self._note(histories[str(user_id)].height),
                    entries=self._entries(rows, told.reasons),
                )
            )

    def _told(self, recommender: OpenRecommender, user_id: str) -> "_Told":
        model, k = recommender.model, self.settings.explained
        if not isinstance(model, ListExplainer) or not k:
            return _Told()
        explaining = explaining_of(recommender, erased=self.sources.erased)
        entries = model.explain(self.sources.data, user_id=user_id, k=k, at=self.sources.at)
        return _Told(
            {it.explanation.item_id: personal_reason(it.explanation) for it in entries},
            [explaining.entry(it) for it in entries],
        )

    def _entries(self, rows: pl.DataFrame, reasons: Mapping[str, Reason]) -> tuple[Entry, ...]:
        return tuple(
            Entry(
                rank=rank,
                item_id=item_id,
                title=self.catalogue[item_id].title,
                score=score,
                attributes=self.catalogue[item_id].attributes,
                reason=reasons.get(item_id),
            )
            for rank, item_id, score in rows.select("rank", schema.ITEM, "score").iter_rows()
        )

    def _note(self, n: int) -> str:
        took = "rated" if schema.RATING in self.sources.data.interactions.collect_schema() else "took"
        return f"from the {n:,} items that you {took}" if n != 1 else f"from the one item that you {took}"

    def _newest(self, history: pl.DataFrame) -> tuple[RecentItem, ...]:
        newest = history.select(schema.ITEM, schema.TIMESTAMP).tail(self.settings.newest).reverse()
        return tuple(
            RecentItem(item_id=item_id, title=self.catalogue[item_id].title, timestamp=moment)
            for item_id, moment in newest.iter_rows()
        )

    def _pattern(self, user_id: str) -> Pattern | None:
        model = self.sources.model(CURecRecommender)
        found = None if model is None else model.pattern(self.sources.data, user_id=user_id, at=self.sources.at)
        return None if found is None else Pattern(text=found.text, writer=found.writer, verified=found.verified)

    def _motivations(self, user_id: str) -> tuple[TraitDocument, ...]:
        model = self.sources.model(MLLM3Recommender)
        found = None if model is None else model.profile(self.sources.data, user_id=user_id, at=self.sources.at)
        if model is None or found is None:
            return ()
        names = {dimension.key: dimension.name for dimension in model.motivation_schema.dimensions}
        return tuple(
            TraitDocument(
                key=it.dimension, name=names[it.dimension], strength=it.strength / max(STRENGTHS), text=it.sentence
            )
            for it in found.present
        )

    def _bars(self, user_ids: Sequence[str]) -> dict[str, tuple[AspectBar, ...]]:
        model = self.sources.model(GuidedRecommender)
        if model is None:
            return {}
        levels = model.user_levels(self.sources.data, user_ids=user_ids, at=self.sources.at)
        return {user_id: level_bars(model, user=found.tolist()) for user_id, found in levels.items()}


@dataclass(frozen=True, slots=True)
class _Told:
    reasons: Mapping[str, Reason] = field(default_factory=dict)
    """By item_id."""
    documents: Sequence[ExplanationDocument] = ()


def explaining_of(recommender: OpenRecommender, *, erased: Collection[str] = ()) -> Explaining:
    """What it takes to tell of a recommender's explanations."""
    model = recommender.model
    aspects = model.aspects_ if isinstance(model, GuidedRecommender) else None
    return Explaining(recommender.method, aspects=aspects, erased=erased)
