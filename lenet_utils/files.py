"""Files: where the course's data are, and writing one whole or not at all."""

import os
import tempfile
from pathlib import Path


def find_data_root() -> Path:
    """Return the course's ``data`` folder, whatever the working directory is."""
    return Path(__file__).resolve().parents[1] / "data"


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file whole or not at all: under a temporary name in its folder, then renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name + ".part-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(temporary, 0o644)  # mkstemp's files are for their owner alone
        os.replace(temporary, path)
    finally:
        Path(temporary).unlink(missing_ok=True)  # where anything failed


def shorten(path: Path) -> str:
    """The path from ``data`` down, where it lies in the course: no machine's folders in a message."""
    root = find_data_root().parent
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()
