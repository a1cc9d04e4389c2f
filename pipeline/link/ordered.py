"""A table too large to sort by its texts: the engine sorts places and numbers, what is still open is settled behind."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import narwhals as nw
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.link.engine import fetched, finished, sorted_by

PIECE = 122_880  # rows that leave the engine at a time
PERSON = "person"


def coded(frame: nw.LazyFrame, words: Mapping[str, Sequence[str]]) -> nw.LazyFrame:
    """The frame of the engine with the texts of some columns as their places among the words of each (missing: none of
    them). Words in their order keep the order of the rows."""
    native = frame.to_native()
    parts = []
    for name, listed in words.items():
        cases = " ".join("WHEN '" + word.replace("'", "''") + f"' THEN {place}" for place, word in enumerate(listed))
        place = f'CASE "{name}" {cases} END' if cases else "NULL"
        parts.append(f'CAST({place} AS SMALLINT) AS "{name}"')
    return nw.from_native(native.project(f"* REPLACE ({', '.join(parts)})"))


def in_order(frame: nw.LazyFrame, kinds: Mapping[str, str], order: Sequence[str], words: Mapping[str, Sequence[str]],
             people: nw.LazyFrame) -> pa.RecordBatchReader:
    """The rows of a `coded` frame by `order`, piece by piece, with customer_id for `person` and words for places.

    order: person first; of the others the texts that are no words only decide where all that stands before them in
    `order` is alike. Ids are put in after sorting, as places in the list of people.
    """
    texts = [name for name in order if name != PERSON and kinds[name] == "text" and name not in words]
    before = list(order[:order.index(texts[0])]) if texts else list(order)
    types = {PERSON: "place"} | {name: "place" if name in words else kind for name, kind in kinds.items()}
    native = finished(frame, types, [name for name in order if name not in texts])
    ids = fetched(sorted_by(people, [PERSON]))["customer_id"].combine_chunks()
    source: Iterable[pa.RecordBatch] = native.to_arrow_reader(PIECE)
    schema = pa.schema([(name, pa.dictionary(pa.int32(), pa.string()) if name in words else field.type)
                        for name, field in zip(types, source.schema, strict=True)])
    schema = schema.set(0, pa.field("customer_id", pa.dictionary(pa.int32(), pa.string())))
    listed = {name: pa.array(list(known), pa.string()) for name, known in words.items()}
    settled = _settled(source, before, list(order[len(before):])) if texts else source
    return pa.RecordBatchReader.from_batches(schema, (_worded(batch, ids, listed, schema) for batch in settled))


def _worded(batch: pa.RecordBatch, ids: pa.Array, listed: Mapping[str, pa.Array], schema: pa.Schema) -> pa.RecordBatch:
    person = batch.column(0).to_numpy()
    low, high = (int(person[0]), int(person[-1])) if len(person) else (0, -1)
    some = ids.slice(low, high - low + 1).cast(pa.string())
    columns = [pa.DictionaryArray.from_arrays(pa.array((person - low).astype("int32")), some)]
    for name, column in zip(batch.schema.names[1:], batch.columns[1:], strict=True):
        known = listed.get(name)
        columns.append(column if known is None else pa.DictionaryArray.from_arrays(column.cast(pa.int32()), known))
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _settled(batches: Iterable[pa.RecordBatch], same: Sequence[str], by: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Batches in the order of `same`, rows that are alike in it by `by`; what a batch ends with waits for the next."""
    held: pa.RecordBatch | None = None
    for batch in batches:
        if not batch.num_rows:
            continue
        batch = batch if held is None else pa.concat_batches([held, batch])
        begins = np.flatnonzero(~_alike(batch, same))
        last = int(begins[-1]) if len(begins) else 0
        if last:
            yield _sorted(batch.slice(0, last), same, by)
        held = batch.slice(last)
    if held is not None:
        yield _sorted(held, same, by)


def _alike(batch: pa.RecordBatch, same: Sequence[str]) -> np.ndarray:
    """Whether each row is alike to the one before it; nothing is missing in `same`."""
    found = np.ones(batch.num_rows, dtype=bool)
    found[0] = False
    for name in same:
        values = batch[name].to_numpy(zero_copy_only=False)
        found[1:] &= values[1:] == values[:-1]
    return found


def _sorted(batch: pa.RecordBatch, same: Sequence[str], by: Sequence[str]) -> pa.RecordBatch:
    alike = _alike(batch, same)
    second = np.flatnonzero(alike)
    if not len(second):
        return batch
    texts = batch[by[0]]
    differ = pc.not_equal(texts.take(pa.array(second)), texts.take(pa.array(second - 1)))
    run = np.cumsum(~alike)
    open_runs = np.unique(run[second[pc.fill_null(differ, True).to_numpy(zero_copy_only=False)]])
    rows = np.flatnonzero(np.isin(run, open_runs))
    if not len(rows):
        return batch
    keys = pa.table({"run": run[rows], **{name: batch[name].take(pa.array(rows)) for name in by}})
    moved = pc.sort_indices(keys, sort_keys=[(name, "ascending") for name in keys.column_names]).to_numpy()
    order = np.arange(batch.num_rows)
    order[rows] = rows[moved]
    return batch.take(pa.array(order))
