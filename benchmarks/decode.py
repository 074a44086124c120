"""Decoding against a bare loop over decord, and against PyAV and torchcodec, on the same files, one core each.

    python benchmarks/decode.py                                                              # short clips
    python benchmarks/decode.py --clips 2 --seconds 60 --fps 25 --width 320 --height 240     # films

Files are toyworld's kind: H.264 and AAC in MP4, a textured ground that pans, a square that moves, noise for sound.
Every reader decodes all frames in the same order. What counts is the time on a processor of its process (and of its
decoder's). Rounds go through all readers, and a reader's ratio is the median of its rounds', each to decord in the same
round, so that other work on the machine disturbs both alike. Prints a table in Markdown.

torchcodec comes without FFmpeg's libraries and takes part where the system has them.
"""

import argparse
import os
import platform
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from importlib import metadata
from pathlib import Path

import av
import cv2
import decord
import numpy as np

from pipeline.files import md5_of
from pipeline.media.decoder import Decoder
from pipeline.media.video import square
from pipeline.store.shards import ShardWriter
from pipeline.store.streams import stream

RATE, AT_ONCE = 48_000, 64
SETTINGS = {
    "window_seconds": 10.0,
    "sample_rate": RATE,
    "max_pixels": 10**8,
    "file_seconds": 60,
    "file_memory_mb": 2000,
}
JPEG_QUALITY = 95
BARE, RESIZED = "decord, bare loop", "decord, bare loop, resized"
EVERYTHING = ["frames", "spectrogram", "flow", "motion"]


def film(path: Path, seed: int, seconds: float, fps: float, width: int, height: int) -> None:
    """One clip with its sound."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(2 * height, width, 3)).astype(np.float32)
    ground = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 3), None, 20, 230, cv2.NORM_MINMAX)
    with av.open(str(path), "w") as container:
        pictures = container.add_stream("libx264", rate=Fraction(fps))
        pictures.width, pictures.height = width, height
        pictures.pix_fmt = "yuv420p"
        sound = container.add_stream("aac", rate=RATE)
        sound.layout = "mono"
        for number in range(round(seconds * fps)):
            down, right = number % height, number % (width - 40)
            image = ground[down : down + height].copy()
            image[20:50, right : right + 30] = 255 - image[20:50, right : right + 30]
            image += rng.normal(size=image.shape) * 4
            frame = av.VideoFrame.from_ndarray(image.clip(0, 255).astype(np.uint8), format="rgb24")
            frame.pts, frame.time_base = number, 1 / Fraction(fps)
            container.mux(pictures.encode(frame))
        container.mux(pictures.encode(None))
        samples = (0.1 * rng.normal(size=(1, round(seconds * RATE)))).astype(np.float32)
        for first in range(0, samples.shape[1], 1024):
            piece = av.AudioFrame.from_ndarray(samples[:, first : first + 1024], "fltp", "mono")
            piece.sample_rate, piece.pts, piece.time_base = RATE, first, Fraction(1, RATE)
            container.mux(sound.encode(piece))
        container.mux(sound.encode(None))


def by_decord(paths: list[Path]) -> int:
    count = 0
    for path in paths:
        reader = decord.VideoReader(str(path), num_threads=1)
        for first in range(0, len(reader), AT_ONCE):
            count += len(reader.get_batch(range(first, min(first + AT_ONCE, len(reader)))).asnumpy())
    return count


def by_decord_resized(paths: list[Path], keep: int) -> int:
    """The same, to the store's pictures: what the stage's frames are."""
    count = 0
    for path in paths:
        reader = decord.VideoReader(str(path), num_threads=1)
        for first in range(0, len(reader), AT_ONCE):
            frames = reader.get_batch(range(first, min(first + AT_ONCE, len(reader)))).asnumpy()
            count += len(np.stack([square(frame, keep) for frame in frames]))
    return count


def by_pyav(paths: list[Path]) -> int:
    """As its documentation has it."""
    count = 0
    for path in paths:
        with av.open(str(path)) as container:
            pictures = container.streams.video[0]
            pictures.codec_context.thread_count = 1
            for frame in container.decode(pictures):
                count += len(frame.to_ndarray(format="rgb24")[None])
    return count


def by_torchcodec(paths: list[Path]) -> int:
    from torchcodec.decoders import VideoDecoder

    count = 0
    for path in paths:
        reader = VideoDecoder(str(path), num_ffmpeg_threads=1)
        for first in range(0, len(reader), AT_ONCE):
            count += len(reader[first : min(first + AT_ONCE, len(reader))])
    return count


def by_the_stage(decoder: Decoder, paths: list[Path], hashes: list[str], modality: str) -> int:
    """All that `decode` does but writing: hash, survey, frames, other streams, and their way between processes."""
    count = 0
    for path, md5 in zip(paths, hashes, strict=True):
        count += sum(len(facts["frame_times"]) for facts, _ in decoder.windows(path, md5, modality))
    return count


def by_the_stage_with_its_shard(
    decoder: Decoder, paths: list[Path], hashes: list[str], modality: str, shard: Path, keep: int
) -> int:
    """And writing, with pictures as JPEG."""
    count = 0
    with ShardWriter(shard, {name: stream(name, keep, RATE, JPEG_QUALITY) for name in EVERYTHING}) as writer:
        for path, md5 in zip(paths, hashes, strict=True):
            for facts, streams in decoder.windows(path, md5, modality):
                writer.append(streams)
                count += len(facts["frame_times"])
    return count


def cpu_seconds(decoder: Decoder | None) -> float:
    """Of this process, and of the one that decodes."""
    used = time.process_time()
    if decoder is not None:
        fields = Path(f"/proc/{decoder.process_id}/stat").read_text().rsplit(")", 1)[1].split()
        used += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return used


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--fps", type=float, default=12.5)
    parser.add_argument("--width", type=int, default=96, help="px of the files")
    parser.add_argument("--height", type=int, default=96)
    parser.add_argument("--keep", type=int, default=64, help="px of the store")
    parser.add_argument("--rounds", type=int, default=9)
    given = parser.parse_args()
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{number:04d}.mp4" for number in range(given.clips)]
        for number, path in enumerate(paths):
            film(path, number, given.seconds, given.fps, given.width, given.height)
        hashes = [md5_of(path) for path in paths]
        with (
            Decoder(SETTINGS | {"side": given.keep, "streams": ["frames"]}) as frames,
            Decoder(SETTINGS | {"side": given.keep, "streams": EVERYTHING}) as everything,
        ):
            readers: dict[str, tuple[Callable[[], int], Decoder | None]] = {
                BARE: (lambda: by_decord(paths), None),
                RESIZED: (lambda: by_decord_resized(paths, given.keep), None),
                "PyAV, bare loop": (lambda: by_pyav(paths), None),
                "stage, frames alone": (lambda: by_the_stage(frames, paths, hashes, "video"), frames),
                "stage, all streams": (lambda: by_the_stage(everything, paths, hashes, "audio-visual"), everything),
                "stage, all streams, written": (
                    lambda: by_the_stage_with_its_shard(
                        everything, paths, hashes, "audio-visual", Path(folder) / "shard.arrow", given.keep
                    ),
                    everything,
                ),
            }
            without = ""
            try:
                from torchcodec.decoders import VideoDecoder

                VideoDecoder(str(paths[0]))
            except (ImportError, OSError, RuntimeError) as error:
                without = f"; torchcodec does not load here ({str(error).strip().splitlines()[0]})"
            else:
                readers["torchcodec, bare loop"] = (lambda: by_torchcodec(paths), None)
            print(
                f"{given.clips} files of {given.seconds:g} s, {given.width} x {given.height} px, {given.fps:g} frames/s"
                f", kept at {given.keep} px. {machine()}{without}.\n"
            )
            compare(readers, given.rounds, given.clips)


def machine() -> str:
    """Its processor, and the decoders' versions."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    versions = []
    for package in ("decord", "av", "torchcodec"):
        try:
            versions.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            continue
    return f"One core of {os.cpu_count()} ({[*names, platform.machine()][0]}); {', '.join(versions)}"


def compare(readers: dict[str, tuple[Callable[[], int], Decoder | None]], rounds: int, clips: int) -> None:
    """Prints each reader's median ratio, and its best round."""
    counts = {name: read() for name, (read, _) in readers.items()}
    assert len(set(counts.values())) == 1, counts
    seconds: dict[str, list[float]] = {name: [] for name in readers}
    for _ in range(rounds):
        for name, (read, decoder) in readers.items():
            before = cpu_seconds(decoder)
            read()
            seconds[name].append(cpu_seconds(decoder) - before)
    print("| reader | speed, bare decord loop = 1 | the same, resized = 1 | ms a file | frames/s |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name, taken in seconds.items():
        to_bare, to_resized = (np.median(np.divide(seconds[loop], taken)) for loop in (BARE, RESIZED))
        best = min(taken)
        print(f"| {name} | {to_bare:.2f} | {to_resized:.2f} | {1000 * best / clips:.2f} | {counts[name] / best:.0f} |")


if __name__ == "__main__":
    main()
