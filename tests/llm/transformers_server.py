"""A real server for tests: ``transformers serve`` with a model from a directory, in a process of its own."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

_READY_S = 180  # it loads in 10 to 35 seconds on an idle machine
_END_S = 15


@contextmanager
def serving(model_dir: Path) -> Iterator[str]:
    """Serve a model; its name is the directory's path.

    Yields:
        The base URL.
    """
    with TemporaryDirectory() as home:
        (Path(home) / "hub").mkdir()  # GET /v1/models fails without it
        port = _free_port()
        with (Path(home) / "log").open("w+") as log:
            process = subprocess.Popen(
                [
                    str(Path(sys.executable).parent / "transformers"),
                    *("serve", str(model_dir), "--host", "127.0.0.1", "--port", str(port)),
                    *("--device", "cpu", "--dtype", "float32"),
                ],
                env=os.environ | {"HF_HOME": home, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
            try:
                _wait_until_ready(process, f"http://127.0.0.1:{port}/health", log=Path(log.name))
                yield f"http://127.0.0.1:{port}/v1"
            finally:
                _end(process)


def _wait_until_ready(process: subprocess.Popen[bytes], address: str, *, log: Path) -> None:
    for _ in range(4 * _READY_S):
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}:\n{log.read_text()[-3000:]}")
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.25)
    raise RuntimeError(f"the server was not ready after {_READY_S} s:\n{log.read_text()[-3000:]}")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
