import pytest

from whyrec.data.columns import ITEM_FIELDS, LOG_FIELDS, map_columns
from whyrec.errors import InvalidConfigError, InvalidDataError


def test_own_names_are_taken_without_a_word() -> None:
    mapping = map_columns(["user_id", "item_id", "timestamp", "rating"], LOG_FIELDS, given={}, where="log.csv")
    assert mapping.columns == {name: name for name in ("user_id", "item_id", "timestamp", "rating")}
    assert mapping.notes == ()


def test_usual_names_are_found_and_stated() -> None:
    mapping = map_columns(["userId", "movieId", "rating", "Time"], LOG_FIELDS, given={}, where="log.csv")
    assert mapping.columns == {"user_id": "userId", "item_id": "movieId", "timestamp": "Time", "rating": "rating"}
    assert mapping.notes == (
        "log.csv: column 'userId' is read as user_id.",
        "log.csv: column 'movieId' is read as item_id.",
        "log.csv: column 'Time' is read as timestamp.",
    )


def test_a_given_column_wins_over_own_and_usual_names() -> None:
    found = ["user_id", "item_id", "timestamp", "server_time"]
    mapping = map_columns(found, LOG_FIELDS, given={"timestamp": "server_time"}, where="log.csv")
    assert mapping.columns["timestamp"] == "server_time"


def test_a_column_serves_one_field_only() -> None:
    mapping = map_columns(["item_id", "name", "title"], ITEM_FIELDS, given={"description": "title"}, where="i.csv")
    assert mapping.columns == {"item_id": "item_id", "title": "name", "description": "title"}


def test_two_candidates_for_a_required_field_are_refused() -> None:
    with pytest.raises(InvalidDataError, match=r"'timestamp', got several: time, date\. Choose with --map timestamp="):
        map_columns(["user_id", "item_id", "time", "date"], LOG_FIELDS, given={}, where="log.csv")


def test_two_candidates_for_an_optional_field_are_left_alone_and_stated() -> None:
    mapping = map_columns(["user", "item", "ts", "stars", "score"], LOG_FIELDS, given={}, where="log.csv")
    assert "rating" not in mapping.columns
    assert "log.csv: columns stars, score could all be rating, so none is" in mapping.notes[-1]


def test_a_missing_column_is_named_with_those_there_are() -> None:
    with pytest.raises(InvalidDataError, match=r"log\.csv: expected a column 'timestamp', got user_id, item_id\. Name"):
        map_columns(["user_id", "item_id"], LOG_FIELDS, given={}, where="log.csv")


def test_a_given_column_must_exist_and_its_field_be_known() -> None:
    with pytest.raises(InvalidDataError, match="expected a column 'when' for 'timestamp', got user_id, item_id"):
        map_columns(["user_id", "item_id"], LOG_FIELDS, given={"timestamp": "when"}, where="log.csv")
    with pytest.raises(InvalidConfigError, match=r"expected one of user_id, item_id, timestamp.*got 'userid'"):
        map_columns(["user_id"], LOG_FIELDS, given={"userid": "user_id"}, where="log.csv")
