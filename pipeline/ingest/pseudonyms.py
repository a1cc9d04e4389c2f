"""HMAC-SHA256 (RFC 2104) of columns of ids: the blocks of the key are hashed once, each id as seldom as possible."""

import hashlib

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

REMEMBERED = 1_000_000  # ids kept with their digest between two stretches of one column
MOSTLY = 0.9  # share of new ids above which remembering them is not worth its cost
HEX = np.frombuffer("".join(f"{byte:02x}" for byte in range(256)).encode(), dtype=np.uint16)
BLOCK = 64  # bytes that SHA-256 takes at a time


class Pseudonyms:
    """The pseudonyms of one column, stretch by stretch: first 32 hex characters of the HMAC of each text."""

    def __init__(self, key: bytes, unique: bool = False):
        """unique: no id comes twice, so that none is looked up."""
        block = (hashlib.sha256(key).digest() if len(key) > BLOCK else key).ljust(BLOCK, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))
        self._known: dict[bytes, bytes] = {}
        self._unique, self._limit, self._stretches = unique, 0 if unique else REMEMBERED, 0
        self._apart = False  # whether an id that is followed by another one seldom comes again

    def of(self, texts: pa.Array) -> pa.Array:
        """A text for each text, null for null; equal texts are hashed once."""
        if texts.null_count == len(texts):
            return pa.nulls(len(texts), pa.string())
        if self._unique and not texts.null_count:
            return self._shown(texts.cast(pa.binary()).to_pylist())
        begins = _begins(texts)
        if self._apart and not texts.null_count:
            return self._shown(texts.filter(begins).cast(pa.binary()).to_pylist()).take(_runs(begins))
        coded = texts.filter(begins).dictionary_encode()
        self._apart = len(coded.dictionary) > MOSTLY * len(coded)
        return self._shown(coded.dictionary.cast(pa.binary()).to_pylist()).take(coded.indices.take(_runs(begins)))

    def _shown(self, texts: list[bytes]) -> pa.Array:
        known = self._known
        found = [known.get(text) for text in texts] if known else [None] * len(texts)
        fresh = [text for text, digest in zip(texts, found, strict=True) if digest is None]
        made = self._digests(fresh)
        if len(fresh) == len(texts):
            found = made
        elif fresh:
            left = iter(made)
            found = [digest or next(left) for digest in found]
        if self._stretches == 2 and len(fresh) > MOSTLY * len(texts):  # ids that do not come again
            self._known, self._limit = {}, 0
        elif len(known) < self._limit:
            known.update(zip(fresh, made, strict=True))
        self._stretches += 1
        halves = np.frombuffer(b"".join(found), dtype=np.uint8).reshape(-1, 32)[:, :16]
        ends = pa.py_buffer(np.arange(0, 32 * len(found) + 1, 32, dtype=np.int32))
        return pa.StringArray.from_buffers(len(found), ends, pa.py_buffer(HEX[halves].tobytes()))

    def _digests(self, texts: list[bytes]) -> list[bytes]:
        begin, finish, found = self._inner.copy, self._outer.copy, []
        for text in texts:
            inner, outer = begin(), finish()
            inner.update(text)
            outer.update(inner.digest())
            found.append(outer.digest())
        return found


def _begins(texts: pa.Array) -> pa.BooleanArray:
    """Whether each text is another one than the text before it: lines of one order stand together."""
    same = pc.equal(texts.slice(1), texts.slice(0, len(texts) - 1))
    return pa.concat_arrays([pa.array([True]), pc.invert(pc.fill_null(same, False))])


def _runs(begins: pa.BooleanArray) -> pa.Array:
    """The number of its run (from 0) for each text."""
    return pa.array(np.cumsum(begins.to_numpy(zero_copy_only=False), dtype=np.int32) - np.int32(1))
