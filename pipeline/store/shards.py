"""Shards: Arrow IPC files, one record batch a window and one column a stream, memory-mapped and read without a copy."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import ipc

from pipeline.errors import UserError
from pipeline.store.streams import Stream

Array = npt.NDArray[np.generic]

# What Arrow, JSON and NumPy were seen to raise for a shard with flipped bits.
DAMAGED = (pa.ArrowException, OSError, ValueError, TypeError, KeyError, AttributeError, MemoryError, OverflowError)


class ShardWriter:
    """Writes windows one after the other, in the memory of one."""

    def __init__(self, path: Path, streams: Mapping[str, Stream]) -> None:
        self.streams = dict(streams)
        fields = [
            pa.field(name, pa.large_list(pa.from_numpy_dtype(np.dtype(stream.dtype))))
            for name, stream in streams.items()
        ]
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
        """window: stream -> (T, *shape) of the stream's dtype. Returns its offset: the number of the record batch."""
        columns = []
        for name, stream in self.streams.items():
            array = np.ascontiguousarray(window[name])
            if array.shape[1:] != stream.shape or array.dtype != stream.dtype:
                expected = f"{stream.dtype} (T, {', '.join(map(str, stream.shape))})"
                raise ValueError(f"stream {name}: expected {expected}, found {array.dtype} {array.shape}")
            flat = pa.array(array.reshape(-1))
            columns.append(pa.LargeListArray.from_arrays(pa.array([0, len(flat)], pa.int64()), flat))
        self._writer.write_batch(pa.record_batch(columns, schema=self._schema))
        self._windows += 1
        return self._windows - 1


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
            raise UserError(f"{path}: not a readable shard ({error}); delete it and run again") from None

    def __len__(self) -> int:
        return int(self._reader.num_record_batches)

    def window(self, stream: str, offset: int) -> Array:
        """A stream of one window, (T, *shape), as a view of the mapped file."""
        if stream not in self.streams:
            raise UserError(f"{self.path}: holds no stream {stream!r}, only {', '.join(self.streams)}")
        try:
            column = self._reader.get_batch(offset).column(stream)
            flat = column.values.to_numpy(zero_copy_only=True)
            return flat.reshape(-1, *self.streams[stream].shape)
        except DAMAGED as error:
            raise UserError(
                f"{self.path}: window {offset} is not readable ({error}); delete it and run again"
            ) from None
