"""Build the data set inside the package from the raw MovieTweetings files.

    python tools/build_bundled.py RAW_DIRECTORY src/whyrec/bundled/movietweetings

RAW_DIRECTORY holds upstream's ratings.dat, movies.dat and LICENSE. The users' file is not read: it holds account ids.
"""

import shutil
import sys
import tempfile
from pathlib import Path

import polars as pl

from whyrec.data.import_config import ImportConfig
from whyrec.data.importing import import_dataset

TITLE_AND_YEAR = r"^(?<title>.*?)\s*\((?<year>\d{4})[^)]*\)\s*$"
CONFIG = ImportConfig(columns=("user_id", "item_id", "rating", "timestamp"), list_columns={"genres": "|"})


def films(movies: Path) -> pl.DataFrame:
    """Read movies.dat and take the year out of the title."""
    fields = pl.col("line").str.split_exact("::", 2).struct.rename_fields(["item_id", "full_title", "genres"])
    parts = pl.col("full_title").str.extract_groups(TITLE_AND_YEAR)
    return (
        pl.read_lines(movies, name="line")
        .select(fields.alias("fields"))
        .unnest("fields")
        .with_columns(parts.alias("parts"))
        .unnest("parts")
        .select(
            "item_id",
            pl.coalesce("title", "full_title").alias("title"),
            pl.col("year").cast(pl.Int64),
            pl.col("genres").replace("", None),
        )
    )


def main(raw: Path, out: Path) -> None:
    """Build the directory and put upstream's licence beside it."""
    with tempfile.TemporaryDirectory() as scratch:
        items = Path(scratch) / "movies.parquet"
        films(raw / "movies.dat").write_parquet(items)
        report = import_dataset(raw / "ratings.dat", out, items=items, name="movietweetings", config=CONFIG)
    shutil.copyfile(raw / "LICENSE", out / "LICENSE")
    sys.stderr.write("\n".join([*report.notes, f"{out}: {report.manifest['n_interactions']} interactions"]) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
