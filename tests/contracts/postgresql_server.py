"""A real PostgreSQL server for tests, in a directory of its own, reached by a socket there and by nothing else."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

_NEEDED = ("initdb", "pg_ctl", "postgres")
_QUICK = "-c listen_addresses='' -c shared_buffers=16MB -c fsync=off -c max_connections=40"
"""Without fsync: nobody pulls the plug of a test; what is killed is the client, or the server in good order."""


def _binaries() -> Path | None:
    candidates = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    found = shutil.which("initdb")
    candidates += [Path(found).parent] if found else []
    return next((place for place in candidates if all((place / name).exists() for name in _NEEDED)), None)


class PostgresqlServer:
    """Starts, stops, and gives each caller a schema of its own."""

    def __init__(self, binaries: Path, directory: Path) -> None:
        self._binaries, self._directory = binaries, directory
        self._as_user: list[str] = []
        self._n_schemas = 0
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            account = pwd.getpwnam("postgres")
            os.chown(directory, account.pw_uid, account.pw_gid)
            self._as_user = ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]
        self._run("initdb", "-D", str(directory / "data"), "-U", "tests", "-A", "trust", "-E", "UTF8", "--no-sync")

    def start(self) -> None:
        options = f"-k {self._directory} {_QUICK}"
        self._pg_ctl("start", "-o", options, "-l", str(self._directory / "log"))

    def stop(self) -> None:
        self._pg_ctl("stop", "-m", "fast")

    @contextmanager
    def hung(self) -> Iterator[None]:
        """While the block runs, the server is there and answers nobody."""
        main = int((self._directory / "data" / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{main}/task/{main}/children").read_text().split()
        processes = [main, *map(int, children)]
        for process in processes:
            os.kill(process, signal.SIGSTOP)
        try:
            yield
        finally:
            for process in processes:
                os.kill(process, signal.SIGCONT)

    def new_url(self) -> str:
        """The URL of an empty schema."""
        self._n_schemas += 1
        schema = f"test_{self._n_schemas}"
        with psycopg.connect(host=str(self._directory), user="tests", dbname="postgres", autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {schema}")
        return f"postgresql://tests@/postgres?host={quote(str(self._directory))}&options=-csearch_path%3D{schema}"

    def _pg_ctl(self, *words: str) -> None:
        self._run("pg_ctl", "-D", str(self._directory / "data"), "-w", "-t", "30", *words)

    def _run(self, program: str, *words: str) -> None:
        # The server keeps what it inherits open: with a pipe, this would wait until the server ends.
        with (self._directory / "said").open("wb") as said:
            done = subprocess.run(
                [*self._as_user, str(self._binaries / program), *words],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                cwd=self._directory,
                env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"},
                timeout=60,
                check=False,
            )
        if done.returncode != 0:
            raise RuntimeError(f"{program}: {(self._directory / 'said').read_text(errors='replace')}")


@contextmanager
def postgresql_server() -> Iterator[PostgresqlServer]:
    """A running server; skips with the reason where there are no binaries."""
    binaries = _binaries()
    if binaries is None:
        pytest.skip("PostgreSQL is not installed: looked in /usr/lib/postgresql/*/bin and on PATH")
    if os.geteuid() == 0 and not (shutil.which("setpriv") and any(one.pw_name == "postgres" for one in pwd.getpwall())):
        pytest.skip("PostgreSQL does not run as root, and there is no user postgres or no setpriv to become it")
    # Not under pytest's directory: that is closed to the user that the server runs as.
    directory = Path(tempfile.mkdtemp(prefix="whyrec-pg-"))
    try:
        server = PostgresqlServer(binaries, directory)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(directory, ignore_errors=True)
