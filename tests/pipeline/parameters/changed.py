"""params.yaml with one key changed."""

from pathlib import Path

import yaml

from tests.project import ROOT


def changed(tmp_path: Path, key: str, value: object, *, remove: bool = False) -> Path:
    data = yaml.safe_load((ROOT / "params.yaml").read_text())
    *parents, last = key.split("/")
    place = data
    for part in parents:
        place = place[part]
    if remove:
        del place[last]
    else:
        place[last] = value
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(data))
    return path
