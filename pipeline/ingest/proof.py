"""Proof of the count: how many records a CSV file holds, told by its quotes alone, and on which line each begins."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

BLOCK = 1 << 20  # what the processor keeps at hand
NEWLINE, RETURN = 10, 13


@dataclass(frozen=True)
class Block:
    """A stretch of whole physical lines: where it starts (byte), how many records and line ends came before,
    whether it starts inside quotes, and on which line the record open at its start began."""

    offset: int
    records: int
    lines: int
    inside: bool
    open_line: int


@dataclass(frozen=True)
class Proof:
    """What the bytes say. records: non-blank records, header included. blank: empty lines outside quotes.
    misplaced: quotes that neither open nor close a field, or that never close. mixed: line ends outside
    quotes of another kind than most. inner: line ends inside quotes. signs: delimiters outside quotes."""

    path: Path
    delimiter: bytes
    quote: bytes
    records: int
    blank: int
    misplaced: int
    mixed: int
    inner: int
    signs: int
    blocks: tuple[Block, ...]

    @property
    def holds(self) -> bool:
        """Whether quotes and line ends leave one reading only, so that the engine's count can be compared."""
        return not (self.misplaced or self.mixed)

    def lines_of(self, wanted: np.ndarray) -> np.ndarray:
        """First physical line (from 1) of each record in `wanted` (from 0, header included)."""
        wanted = np.asarray(wanted, dtype=np.int64)
        if not self.inner and not self.blank:
            return wanted + 1
        lines = np.zeros(len(wanted), dtype=np.int64)
        home = np.searchsorted([block.records for block in self.blocks], wanted, side="right") - 1
        for number in np.unique(home):
            block, chosen = self.blocks[number], home == number
            starts = _starts(self._read(number), block, self.quote)[1]
            lines[chosen] = starts[wanted[chosen] - block.records]
        return lines

    def records_at(self, offsets: np.ndarray) -> np.ndarray:
        """The record (from 0, header included) that begins at or after each byte offset."""
        found = np.zeros(len(offsets), dtype=np.int64)
        home = np.searchsorted([block.offset for block in self.blocks], offsets, side="right") - 1
        for number in np.unique(home):
            block, chosen = self.blocks[number], home == number
            ends = _starts(self._read(number), block, self.quote)[0] + block.offset
            found[chosen] = block.records + np.searchsorted(ends, offsets[chosen], side="right")
        return found

    def _read(self, number: int) -> np.ndarray:
        start = self.blocks[number].offset
        end = self.blocks[number + 1].offset if number + 1 < len(self.blocks) else self.path.stat().st_size
        with open(self.path, "rb") as handle:
            handle.seek(start)
            return _closed(handle.read(end - start))


def prove(path: Path, delimiter: str, quote: str) -> Proof:
    """Count records by quote parity in one streaming pass."""
    sign, mark = delimiter.encode(), quote.encode()
    blocks, inside, records, blank, misplaced, inner, line, open_line = [], False, 0, 0, 0, 0, 1, 1
    signs = 0
    kinds = np.zeros(3, dtype=np.int64)  # LF, CRLF, lone CR, all outside quotes
    offset = 0
    for raw in _line_blocks(path):
        blocks.append(Block(offset, records, line - 1, inside, open_line))
        offset += len(raw)
        if not inside and RETURN not in raw and not (mark and mark in raw):
            data = _closed(raw)
            ends = data == NEWLINE
            newlines = int(np.count_nonzero(ends))
            empty = int(np.count_nonzero(ends[1:] & ends[:-1])) + int(ends[0])
            records, blank = records + newlines - empty, blank + empty
            signs += int(np.count_nonzero(data == sign[0]))
            kinds[0] += newlines
            line += newlines
            open_line = line
            continue
        data = _closed(raw)
        quotes = np.flatnonzero(data == mark[0]) if mark else np.empty(0, dtype=np.int64)
        newlines = np.flatnonzero(data == NEWLINE)
        outer = _outside(newlines, quotes, inside)
        misplaced += _misplaced(data, quotes, inside, sign)
        ends, _ = _starts(data, blocks[-1], mark, quotes, newlines)
        records, blank = records + len(ends), blank + int(outer.sum()) - len(ends)
        signs += _outside_count(data == sign[0], quotes, inside)
        kinds += _line_ends(data, quotes, newlines[outer], inside)
        inner += int((~outer).sum())
        line += len(newlines)
        inside ^= bool(len(quotes) % 2)
        after = np.flatnonzero(outer)
        open_line = int(after[-1]) + 2 + blocks[-1].lines if len(after) else open_line
    mixed = int(kinds.sum() - kinds.max()) if (kinds > 0).sum() > 1 or kinds[2] else 0
    return Proof(path, sign, mark, records, blank, misplaced + int(inside), mixed, inner, signs,
                 tuple(blocks))


def _line_blocks(path: Path) -> Iterator[bytes]:
    """The file in blocks that end with a line end (but for the last)."""
    with open(path, "rb") as handle:
        carry = b""
        while chunk := handle.read(BLOCK):
            cut = chunk.rfind(b"\n") + 1
            if cut:
                yield carry + chunk[:cut]
                carry = chunk[cut:]
            else:
                carry += chunk
        if carry:
            yield carry


def _closed(raw: bytes) -> np.ndarray:
    return np.frombuffer(raw if raw.endswith(b"\n") else raw + b"\n", dtype=np.uint8)


def _outside(positions: np.ndarray, quotes: np.ndarray, inside: bool) -> np.ndarray:
    if len(quotes) > len(positions):
        return (np.searchsorted(quotes, positions) + inside) % 2 == 0
    turns = np.bincount(np.searchsorted(positions, quotes), minlength=len(positions) + 1)[:len(positions)]
    return (np.cumsum(turns) + inside) % 2 == 0


def _outside_count(marked: np.ndarray, quotes: np.ndarray, inside: bool) -> int:
    """Marked bytes outside quotes: all but those between an odd quote and the next one."""
    edges = np.concatenate(([0] if inside else [], quotes, [len(marked)] if (len(quotes) + inside) % 2 else []))
    if not len(edges):
        return int(np.count_nonzero(marked))
    before = np.searchsorted(np.flatnonzero(marked), edges)
    return int(np.count_nonzero(marked)) - int((before[1::2] - before[::2]).sum())


def _starts(data: np.ndarray, block: Block, mark: bytes, quotes: np.ndarray | None = None,
            newlines: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Line end (byte in the block) and first physical line of every non-blank record that ends in the block."""
    if quotes is None or newlines is None:
        quotes = np.flatnonzero(data == mark[0]) if mark else np.empty(0, dtype=np.int64)
        newlines = np.flatnonzero(data == NEWLINE)
    number = np.flatnonzero(_outside(newlines, quotes, block.inside))  # ordinal of the line end in the block
    ends = newlines[number]
    first = np.empty(len(ends), dtype=np.int64)
    if len(ends):
        first[0], first[1:] = block.open_line, number[:-1] + 2 + block.lines
    previous = np.concatenate(([-1], ends[:-1])) if len(ends) else ends
    length = ends - previous - 1
    is_return = (length == 1) & (data[np.maximum(ends - 1, 0)] == RETURN)
    is_blank = (length == 0) | is_return
    if len(ends) and (block.inside or first[0] <= block.lines):
        is_blank[0] = False  # the record began in the block before
    return ends[~is_blank], first[~is_blank]


def _misplaced(data: np.ndarray, quotes: np.ndarray, inside: bool, sign: bytes) -> int:
    """Quotes that open after something else than a delimiter, or close before something else."""
    if not len(quotes):
        return 0
    opens = (np.arange(len(quotes)) + inside) % 2 == 0
    edge = np.zeros(256, dtype=bool)
    edge[[NEWLINE, RETURN, sign[0], data[quotes[0]]]] = True
    before = data[np.maximum(quotes[opens] - 1, 0)]
    good_open = edge[before] | (quotes[opens] == 0)
    after = data[np.minimum(quotes[~opens] + 1, len(data) - 1)]
    return int((~good_open).sum() + (~edge[after]).sum())


def _line_ends(data: np.ndarray, quotes: np.ndarray, outer: np.ndarray, inside: bool) -> np.ndarray:
    returns = np.flatnonzero(data == RETURN)
    if not len(returns):
        return np.array([len(outer), 0, 0])
    returns = returns[_outside(returns, quotes, inside)]
    paired = int((data[np.minimum(returns + 1, len(data) - 1)] == NEWLINE).sum())
    return np.array([len(outer) - paired, paired, len(returns) - paired])
