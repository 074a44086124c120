"""params.yaml with one key changed."""

from pathlib import Path

from tests.project import read_settings, write_settings


def changed(tmp_path: Path, key: str, value: object, *, remove: bool = False) -> Path:
    """key: its parts joined by slashes."""
    data = read_settings()
    *parents, last = key.split("/")
    place = data
    for part in parents:
        place = place[part]
    if remove:
        del place[last]
    else:
        place[last] = value
    path = tmp_path / "params.yaml"
    write_settings(path, data)
    return path
