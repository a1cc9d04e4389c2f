"""A Parquet file that grows piece by piece; its bytes do not depend on how the rows were cut into pieces."""

import json
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.contracts.ahead import ahead

ROWS = 122_880  # of a row group, all but the last


class Growing:
    """Rows come by `add`, in order, and are written in a thread of their own; `close` says how many there were. Without
    any there is no file.

    varied: columns whose values hardly ever repeat. The footer tells pandas that flags are booleans with missing
    values, which Parquet alone does not; it holds the ends of a row group for the first column, that of their order.
    """

    def __init__(self, path: Path, varied: Iterable[str]) -> None:
        self.path, self.varied, self.count = path, set(varied), 0
        self._waiting: list[pa.Table] = []
        self._writer: pq.ParquetWriter | None = None
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._adding: Future[None] = self._thread.submit(lambda: None)

    def add(self, pieces: Iterable[pa.Table | pa.RecordBatch]) -> None:
        """Append the rows of the pieces; all have the same columns. Comes back once those given before are written;
        what went wrong with them is raised then, or by `close`."""
        self._adding.result()
        self._adding = self._thread.submit(self._append, pieces)

    def _append(self, pieces: Iterable[pa.Table | pa.RecordBatch]) -> None:
        for piece in ahead(pieces):
            self._waiting.append(pa.Table.from_batches([piece]) if isinstance(piece, pa.RecordBatch) else piece)
            if sum(map(len, self._waiting)) >= ROWS:
                self._write(all_of_it=False)

    def close(self) -> int:
        """Finish the file."""
        self._adding.result()
        self._thread.shutdown()
        self._write(all_of_it=True)
        if self._writer is not None:
            self._writer.close()
        return self.count

    def _write(self, all_of_it: bool) -> None:
        rows = pa.concat_tables(self._waiting) if self._waiting else None
        start, stop = 0, 0 if rows is None else len(rows) if all_of_it else len(rows) // ROWS * ROWS
        for start in range(0, stop, ROWS):
            group = _canonical(rows.slice(start, min(ROWS, stop - start)))
            if self._writer is None:
                self._writer = self._opened(group.schema)
            self._writer.write_table(group, row_group_size=ROWS)
            self.count += len(group)
        self._waiting = [rows.slice(stop)] if rows is not None and len(rows) > stop else []

    def _opened(self, schema: pa.Schema) -> pq.ParquetWriter:
        few = [name for name in schema.names if name not in self.varied]
        writer = pq.ParquetWriter(self.path, schema, compression="snappy", store_schema=False, use_dictionary=few,
                                  write_statistics=schema.names[:1])
        flags = [field.name for field in schema if pa.types.is_boolean(field.type)]
        writer.add_key_value_metadata({"pandas": json.dumps(about(flags))})
        return writer


def _canonical(rows: pa.Table) -> pa.Table:
    """The same rows with every dictionary down to the texts that occur, in order."""
    columns = [_in_order(column) if pa.types.is_dictionary(column.type) else column for column in rows.columns]
    return pa.table(columns, schema=rows.schema)


def _in_order(column: pa.ChunkedArray) -> pa.DictionaryArray:
    if column.null_count == len(column):
        return pa.DictionaryArray.from_arrays(pa.nulls(len(column), pa.int32()), pa.array([], pa.string()))
    coded = column.unify_dictionaries().combine_chunks()
    coded = coded.chunk(0) if isinstance(coded, pa.ChunkedArray) else coded
    places = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    occurs = np.zeros(len(coded.dictionary) + 1, dtype=bool)  # the last place stands for missing
    occurs[places] = True
    texts = coded.dictionary.take(pa.array(np.flatnonzero(occurs[:-1])))
    order = pc.sort_indices(texts).to_numpy()
    if occurs[:-1].all() and (order[1:] > order[:-1]).all():
        return coded
    number = np.full(len(occurs), -1, dtype="int32")
    number[np.flatnonzero(occurs[:-1])[order]] = np.arange(len(order), dtype="int32")
    moved = number[places]
    return pa.DictionaryArray.from_arrays(pa.array(moved, mask=moved < 0), texts.take(pa.array(order)))


def about(flags: list[str]) -> dict[str, Any]:
    """What pandas is told of columns that are booleans with missing values."""
    columns = [{"name": name, "field_name": name, "pandas_type": "bool", "numpy_type": "boolean", "metadata": None}
               for name in flags]
    return {"index_columns": [], "column_indexes": [], "columns": columns, "pandas_version": "3.0.0"}
