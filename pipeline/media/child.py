"""The process that decodes: a decoder that hangs, runs out of memory or crashes takes this process with it, no other.

    python -m pipeline.media.child SETTINGS

Files are named on standard input, a line of JSON each, and answered on standard output by messages: a line of JSON, and
after one with a window's facts the bytes of its streams. No message is code, unlike a pickle, since what a damaged file
makes of this process is not known.
"""

import ctypes
import json
import os
import signal
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, BinaryIO

import numpy as np

from pipeline.media.unusable import Unusable, reason
from pipeline.memory import limit_memory

PR_SET_PDEATHSIG = 1
MEGABYTE = 2**20


def main() -> None:
    """Ends when standard input does."""
    if sys.platform == "linux":
        # Also when it hangs in a decoder while its parent goes away.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    # What libraries print must not get among the messages.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    settings = SimpleNamespace(**json.loads(sys.argv[1]))
    import av
    import cv2

    from pipeline.media import crops, windows  # noqa: F401  loaded before memory is limited

    cv2.setNumThreads(1)
    av.logging.set_level(av.logging.PANIC)
    limit_memory(settings.file_memory_mb * MEGABYTE)
    _send(out, {"ready": os.getpid()})
    out.flush()
    for line in sys.stdin.buffer:
        _answer(out, json.loads(line), settings)
        out.flush()


def _answer(out: BinaryIO, file: dict[str, Any], settings: Any) -> None:
    """file: path, md5, modality, and the stills that are to be cut from it, if any are."""
    from pipeline.filenames import openable
    from pipeline.files import md5_of
    from pipeline.media.crops import cut_stills
    from pipeline.media.windows import windows

    try:
        with openable(Path(file["path"])) as path:
            if path.is_file() and md5_of(path) != file["md5"]:
                raise Unusable("changed since it was listed")
            stills, modality = file["stills"], file["modality"]
            made = cut_stills(path, stills, settings) if stills else windows(path, modality, settings)
            for facts, streams in made:
                _send(out, {"facts": facts, "streams": {name: _form(array) for name, array in streams.items()}})
                for array in streams.values():
                    if array.size:
                        # Larger than the buffer: handed to the pipe as it is, without a copy.
                        out.write(np.ascontiguousarray(array).data.cast("B"))
                out.flush()
        _send(out, {"done": True})
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001  decoders raise all sorts, and one file must not cost the run
        _send(out, {"reason": reason(error, settings.file_memory_mb)})


def _form(array: np.ndarray) -> list[Any]:
    return [str(array.dtype), list(array.shape)]


def _send(out: BinaryIO, message: dict[str, Any]) -> None:
    out.write(json.dumps(message).encode() + b"\n")


if __name__ == "__main__":
    main()
