"""Decoding against a bare loop over decord, and against PyAV and torchcodec, on the same files, one core each.

    python benchmarks/decode.py [--clips 100] [--seconds 2] [--side 96] [--keep 64]

Files are toyworld's kind: H.264 and AAC in MP4, a textured ground that pans, a square that moves, noise for sound.
Every reader decodes all frames in the same order; rounds alternate between readers, and each reader's best counts, in
seconds of its process (and of its decoder's), so that other work on the machine disturbs them alike.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import decord
import numpy as np

from pipeline.files import md5_of
from pipeline.media.decoder import Decoder
from pipeline.media.video import square

FPS, RATE = 12.5, 48_000
SETTINGS = {
    "window_seconds": 10.0,
    "sample_rate": RATE,
    "max_pixels": 10**8,
    "file_seconds": 60,
    "file_memory_mb": 2000,
}
EVERYTHING = ["frames", "spectrogram", "flow", "motion"]


def film(path: Path, seed: int, seconds: float, side: int) -> None:
    """One clip with its sound."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(2 * side, 2 * side, 3)).astype(np.float32)
    ground = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 3), None, 20, 230, cv2.NORM_MINMAX)
    with av.open(str(path), "w") as container:
        pictures = container.add_stream("libx264", rate=Fraction(FPS))
        pictures.width = pictures.height = side
        pictures.pix_fmt = "yuv420p"
        sound = container.add_stream("aac", rate=RATE)
        sound.layout = "mono"
        for number in range(round(seconds * FPS)):
            image = ground[number : number + side, :side].copy()
            image[20:50, 10 + number : 40 + number] = 255 - image[20:50, 10 + number : 40 + number]
            image += rng.normal(size=image.shape) * 4
            frame = av.VideoFrame.from_ndarray(image.clip(0, 255).astype(np.uint8), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1 / FPS).limit_denominator()
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
        count += len(reader.get_batch(range(len(reader))).asnumpy())
    return count


def by_decord_resized(paths: list[Path], keep: int) -> int:
    """The same, to the store's pictures: what the stage's frames are."""
    count = 0
    for path in paths:
        reader = decord.VideoReader(str(path), num_threads=1)
        frames = reader.get_batch(range(len(reader))).asnumpy()
        count += len(np.stack([square(frame, keep) for frame in frames]))
    return count


def by_pyav(paths: list[Path]) -> int:
    count = 0
    for path in paths:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            stream.codec_context.thread_count = 1
            count += len([frame.to_ndarray(format="rgb24") for frame in container.decode(stream)])
    return count


def by_torchcodec(paths: list[Path]) -> int:
    from torchcodec.decoders import VideoDecoder

    count = 0
    for path in paths:
        reader = VideoDecoder(str(path), num_ffmpeg_threads=1)
        count += len(reader[: len(reader)])
    return count


def by_the_stage(decoder: Decoder, paths: list[Path], hashes: list[str], modality: str) -> int:
    """All that `decode` does but writing: hash, survey, frames, other streams, and their way between processes."""
    count = 0
    for path, md5 in zip(paths, hashes, strict=True):
        count += sum(len(facts["frame_times"]) for facts, _ in decoder.windows(path, md5, modality))
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
    parser.add_argument("--side", type=int, default=96, help="px of the files")
    parser.add_argument("--keep", type=int, default=64, help="px of the store")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{number:04d}.mp4" for number in range(given.clips)]
        for number, path in enumerate(paths):
            film(path, number, given.seconds, given.side)
        hashes = [md5_of(path) for path in paths]
        with (
            Decoder(SETTINGS | {"side": given.keep, "streams": ["frames"]}) as frames,
            Decoder(SETTINGS | {"side": given.keep, "streams": EVERYTHING}) as everything,
        ):
            readers: dict[str, tuple[Callable[[], int], Decoder | None]] = {
                "decord, bare loop": (lambda: by_decord(paths), None),
                "decord, bare loop, resized": (lambda: by_decord_resized(paths, given.keep), None),
                "PyAV, bare loop": (lambda: by_pyav(paths), None),
                "stage, frames alone": (lambda: by_the_stage(frames, paths, hashes, "video"), frames),
                "stage, all streams": (lambda: by_the_stage(everything, paths, hashes, "audio-visual"), everything),
            }
            try:
                import torchcodec  # noqa: F401
            except (ImportError, OSError, RuntimeError) as error:
                print(f"torchcodec does not load here: {str(error).splitlines()[0]}")
            else:
                readers["torchcodec, bare loop"] = (lambda: by_torchcodec(paths), None)
            compare(readers, given.rounds, given.clips)


def compare(readers: dict[str, tuple[Callable[[], int], Decoder | None]], rounds: int, clips: int) -> None:
    """Prints each reader's best round."""
    best = dict.fromkeys(readers, np.inf)
    counts = {name: read() for name, (read, _) in readers.items()}
    assert len(set(counts.values())) == 1, counts
    for _ in range(rounds):
        for name, (read, decoder) in readers.items():
            before = cpu_seconds(decoder)
            read()
            best[name] = min(best[name], cpu_seconds(decoder) - before)
    print(f"{'':28}  ms a clip  frames/s a core  to decord, bare  to decord, resized")
    for name, seconds in best.items():
        ratios = [best[f"decord, bare loop{kind}"] / seconds for kind in ("", ", resized")]
        each, rate = 1000 * seconds / clips, counts[name] / seconds
        print(f"{name:28}  {each:9.2f}  {rate:15.0f}  {ratios[0]:15.2f}  {ratios[1]:18.2f}")


if __name__ == "__main__":
    main()
