"""HMAC-SHA256 (RFC 2104) of columns of ids: the blocks of the key are hashed once, each id as seldom as possible."""

import hashlib

import numpy as np
import pyarrow as pa

REMEMBERED = 1_000_000  # ids kept with their digest between two stretches of one column
HEX = np.frombuffer("".join(f"{byte:02x}" for byte in range(256)).encode(), dtype=np.uint16)
BLOCK = 64  # bytes that SHA-256 takes at a time


class Pseudonyms:
    """The pseudonyms of one column, stretch by stretch: first 32 hex characters of the HMAC of each text."""

    def __init__(self, key: bytes):
        block = (hashlib.sha256(key).digest() if len(key) > BLOCK else key).ljust(BLOCK, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))
        self._known: dict[bytes, bytes] = {}

    def of(self, texts: pa.Array) -> pa.Array:
        """A text for each text, null for null; equal texts are hashed once."""
        if texts.null_count == len(texts):
            return pa.nulls(len(texts), pa.string())
        coded = texts.dictionary_encode()
        return self._shown(coded.dictionary.cast(pa.binary()).to_pylist()).take(coded.indices)

    def _shown(self, texts: list[bytes]) -> pa.Array:
        known = self._known
        found = [known.get(text) or self._digest(text) for text in texts] if known else list(map(self._digest, texts))
        if len(known) < REMEMBERED:
            known.update(zip(texts, found, strict=True))
        halves = np.frombuffer(b"".join(found), dtype=np.uint8).reshape(-1, 32)[:, :16]
        ends = pa.py_buffer(np.arange(0, 32 * len(found) + 1, 32, dtype=np.int32))
        return pa.StringArray.from_buffers(len(found), ends, pa.py_buffer(HEX[halves].tobytes()))

    def _digest(self, text: bytes) -> bytes:
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(text)
        outer.update(inner.digest())
        return outer.digest()
