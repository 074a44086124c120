"""What flow costs beside OpenCV's bare call, and that memory does not grow with the number of clips.

    python benchmarks/data.py [--clips 1000] [--side 64]

Flow: toyworld's frames at the store's side, on one core, against DIS at its `medium` setting called bare on the same
frames in grey: on whole frames, and on the grid of half their side that flow is kept on, with all its scales. Rounds
alternate, and each one's best counts, in seconds of this process, so that other work on the machine disturbs them
alike.

Memory: the largest resident size (ru_maxrss) of a stage's process and of its children, in a copy of the project, for
100 clips of toyworld at the smoke scale's sizes and for many. One shard holds them all: with more shards than one
`decode` would have as many clips as before.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import yaml

ROOT = Path(__file__).resolve().parents[1]
FEW = 100  # clips
OF_TRAINING = ("--scale", "smoke", "--dataset", "toyworld", "--split", "train")
STAGES = {
    "fetch": ("--scale", "smoke", "--dataset", "toyworld"),
    "decode": (*OF_TRAINING, "--shard", "0"),
    "index": OF_TRAINING,
}


def project(root: Path, clips: int) -> None:
    """A copy of the repository's files that are told to git, with so many clips in one shard."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    for name in filter(None, listed.split("\0")):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, root / name)
    settings = yaml.safe_load((root / "params.yaml").read_text())
    smoke = settings["scales"]["smoke"]
    smoke["datasets"]["toyworld"]["clips"] = {"train": clips, "validation": 1, "test": 1}
    smoke["store"]["clips_per_shard"] = clips
    (root / "params.yaml").write_text(yaml.safe_dump(settings, sort_keys=False))


def peak(root: Path, verb: str, *options: str) -> float:
    """MiB that a stage takes at most."""
    paths = os.pathsep.join([str(root), str(root / "ssl")])
    command = [sys.executable, "-m", "pipeline", verb, *options]
    environment = {**os.environ, "PYTHONPATH": paths}
    process = subprocess.Popen(
        command, cwd=root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{said}")
    return usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def peaks(clips: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        project(Path(folder), clips)
        peak(Path(folder), "fingerprint", "--scale", "smoke")
        return {verb: peak(Path(folder), verb, *options) for verb, options in STAGES.items()}


def compare_memory(clips: int) -> None:
    few, many = peaks(FEW), peaks(clips)
    print(f"{'peak memory, MiB':30}  {f'{FEW} clips':>10}  {f'{clips} clips':>10}  {'ratio':>6}")
    for verb in STAGES:
        print(f"{verb:30}  {few[verb]:10.0f}  {many[verb]:10.0f}  {many[verb] / few[verb]:6.2f}")


def bare(clips: list[np.ndarray], finest: int | None) -> None:
    """clips: (T, H, W) uint8 each; finest: scale down to which flow is refined, None for the setting's own."""
    import cv2

    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    if finest is not None:
        dis.setFinestScale(finest)
    for frames in clips:
        for before, after in pairwise(frames):
            dis.calc(after, before, None)


def compare_flow(clips: int, side: int, rounds: int) -> None:
    # Not before memory is measured: a process counts as its own what its parent had when it was started.
    import cv2
    from threadpoolctl import threadpool_limits

    from pipeline.datasets.toyworld import Toyworld
    from pipeline.media.flow import flow, motion
    from pipeline.media.video import square
    from pipeline.parameters import read_parameters

    cv2.setNumThreads(1)
    threadpool_limits(1)
    world = Toyworld(**read_parameters().scales["default"].datasets["toyworld"])
    films = []
    for number in range(clips):
        frames = world.render("train", number).picture.frames
        films.append(np.stack([square(frame, side) for frame in frames]))
    whole = [np.stack([cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in film]) for film in films]
    halved = [
        np.stack([cv2.resize(grey, (side // 2,) * 2, interpolation=cv2.INTER_AREA) for grey in film]) for film in whole
    ]
    ways: dict[str, Callable[[], object]] = {
        "DIS medium, bare": lambda: bare(whole, None),
        "DIS medium, bare, half the side": lambda: bare(halved, 0),
        "flow": lambda: [flow(film) for film in films],
        "flow and motion": lambda: [motion(flow(film)) for film in films],
    }
    best = dict.fromkeys(ways, np.inf)
    for _ in range(rounds):
        for name, way in ways.items():
            began = time.process_time()
            way()
            best[name] = min(best[name], time.process_time() - began)
    count = sum(len(film) for film in films)
    print(f"{f'{count} frames of {side} px':32}  frames/s a core  to bare  to bare, half")
    for name, seconds in best.items():
        ratios = [best[f"DIS medium, bare{kind}"] / seconds for kind in ("", ", half the side")]
        print(f"{name:32}  {count / seconds:15.0f}  {ratios[0]:7.2f}  {ratios[1]:13.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=1000, help="that memory is measured with")
    parser.add_argument("--side", type=int, default=64, help="px of the store")
    parser.add_argument("--films", type=int, default=20, help="that flow is measured on")
    parser.add_argument("--rounds", type=int, default=7)
    given = parser.parse_args()
    compare_memory(given.clips)
    compare_flow(given.films, given.side, given.rounds)


if __name__ == "__main__":
    main()
