from drawn_datasets import dataset_of

from whyrec.data.dataset import Dataset
from whyrec.data.summary import summarise


def test_a_description_by_hand(temporal_world: Dataset) -> None:
    facts = {(fact.section, fact.name): fact.value for fact in summarise(temporal_world)}
    assert facts["size", "interactions"] == 30
    assert facts["size", "density"] == 30 / (5 * 4)
    assert facts["time", "days"] == 290
    assert facts["time", "full windows of a month"] == 9
    assert facts["time", "full windows of 30 days"] == 290 // 30
    assert facts["activity", "events per user, median"] == 30 / 5
    assert facts["activity", "events per item, largest"] == 8
    assert facts["activity", "users with one event"] == 0
    assert facts["ratings", "rated interactions"] == 30
    assert facts["ratings", "mean"] == (1 + 2 + 3 + 4 + 5) / 5
    assert facts["ratings", "rated 5"] == 30 / 5
    assert facts["catalogue", "genres (list), share present"] == 1


def test_a_log_without_ratings_has_no_such_section() -> None:
    facts = summarise(dataset_of([(0, 0, 0), (0, 1, 40), (1, 1, 2)]))
    assert "ratings" not in {fact.section for fact in facts}
    assert {fact.name: fact.value for fact in facts}["users with one event"] == 1
