"""Shards: Arrow IPC files, one record batch a window and one column a stream, memory-mapped and read without a copy.

Pictures may be JPEG: then only those that are asked for are decoded."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import ipc

from pipeline.errors import UserError
from pipeline.store import jpeg
from pipeline.store.streams import Stream

Array = npt.NDArray[np.generic]

# What Arrow, JSON and NumPy were seen to raise for a shard with flipped bits.
DAMAGED = (pa.ArrowException, OSError, ValueError, TypeError, KeyError, AttributeError, MemoryError, OverflowError)


class ShardWriter:
    """Writes windows one after the other, in the memory of one."""

    def __init__(self, path: Path, streams: Mapping[str, Stream]) -> None:
        self.streams = dict(streams)
        fields = [pa.field(name, pa.large_list(_element(stream))) for name, stream in streams.items()]
        described = json.dumps({name: stream.to_json() for name, stream in streams.items()}, sort_keys=True)
        self._schema = pa.schema(fields, metadata={"streams": described})
        self._writer = ipc.new_file(path, self._schema)
        self._windows = 0

    def __enter__(self) -> "ShardWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()

    def append(self, window: Mapping[str, Array]) -> int:
        """window: stream -> (T, *shape) of the dtype that is kept. Returns its offset: the number of the record
        batch."""
        columns = []
        for name, stream in self.streams.items():
            array = np.ascontiguousarray(window[name])
            if array.shape[1:] != stream.shape or array.dtype != stream.dtype:
                expected = f"{stream.dtype} (T, {', '.join(map(str, stream.shape))})"
                raise ValueError(f"stream {name}: expected {expected}, found {array.dtype} {array.shape}")
            flat = pa.array(array.reshape(-1)) if stream.jpeg is None else _pictures(array, stream.jpeg)
            columns.append(pa.LargeListArray.from_arrays(pa.array([0, len(flat)], pa.int64()), flat))
        self._writer.write_batch(pa.record_batch(columns, schema=self._schema))
        self._windows += 1
        return self._windows - 1


def _element(stream: Stream) -> pa.DataType:
    return pa.large_binary() if stream.jpeg is not None else pa.from_numpy_dtype(np.dtype(stream.dtype))


def _pictures(array: Array, quality: int) -> pa.Array:
    return pa.array([jpeg.encoded(picture, quality) for picture in array], pa.large_binary())


class Steps:
    """The T steps of a stream in one window, of which only those that are asked for are decoded.

    Raises UserError, which begins with `where`, for what is no step of the stream."""

    def __init__(self, stream: Stream, values: pa.Array, where: str) -> None:
        self._stream = stream
        self._where = where
        self._kept = values if stream.jpeg else values.to_numpy(zero_copy_only=True).reshape(-1, *stream.shape)

    def __len__(self) -> int:
        return len(self._kept)

    def __getitem__(self, steps: slice | npt.NDArray[np.int64]) -> Array:
        """(N, *shape), the stream's values; of a slice a view of the mapped file where nothing has to be decoded."""
        if not self._stream.jpeg:
            return self._stream.restored(self._kept[steps])
        numbers = np.arange(len(self))[steps]
        made = np.empty((len(numbers), *self._stream.shape), self._stream.dtype)
        for place, number in enumerate(numbers.tolist()):
            try:
                made[place] = jpeg.decoded(np.frombuffer(self._kept[number].as_buffer(), np.uint8))
            except DAMAGED as error:
                raise _unreadable(self._where, error) from None
        return made


def _unreadable(where: str, error: BaseException) -> UserError:
    return UserError(
        f"{where} is not readable ({error}); delete the shard, and `snakemake` with its name makes it anew"
    )


class Shard:
    """A shard that is open for reading. Raises UserError for a file that is missing or is no shard."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._reader = ipc.open_file(pa.memory_map(str(path)))
            described = json.loads(self._reader.schema.metadata[b"streams"])
            self.streams = {name: Stream.from_json(value) for name, value in described.items()}
        except FileNotFoundError:
            raise UserError(f"{path}: this shard is missing; `snakemake {path}` makes it") from None
        except DAMAGED as error:
            raise UserError(
                f"{path}: not a readable shard ({error}); delete it, and `snakemake {path}` makes it anew"
            ) from None

    def __len__(self) -> int:
        return int(self._reader.num_record_batches)

    def window(self, stream: str, offset: int) -> Array:
        """A stream's values in one window, (T, *shape); a view of the mapped file where nothing has to be decoded."""
        return self.steps(stream, offset)[:]

    def steps(self, stream: str, offset: int) -> Steps:
        """The same, to be read where it is looked at."""
        if stream not in self.streams:
            raise UserError(f"{self.path}: holds no stream {stream!r}, only {', '.join(self.streams)}")
        where = f"{self.path}: window {offset}"
        try:
            column = self._reader.get_batch(offset).column(stream)
            # Arrow trusts the file's lengths and offsets: a flipped bit in them would be read outside the file.
            column.validate(full=True)
            return Steps(self.streams[stream], column.values, where)
        except DAMAGED as error:
            raise _unreadable(where, error) from None
