"""The bytes of a text export as UTF-8 without surprises: one streaming pass, refused at the first bad byte."""

import codecs
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.contracts.params import Source
from pipeline.contracts.refusal import Refusal
from pipeline.ingest.files import GZIP, Export

CHUNK = 4 << 20
NOT_ASCII = re.compile(rb"[\x80-\xff]")
LINE_LIMIT = 64 << 20  # bytes without a line end
BOMB_RATIO, BOMB_FLOOR = 100, 10 << 20  # unpacked : packed, watched once this much was unpacked
BOMS = (("utf-8", codecs.BOM_UTF8), ("utf-16", codecs.BOM_UTF16_LE), ("utf-16", codecs.BOM_UTF16_BE))
SEPLINE = re.compile(rb'^"?sep=(.)"?\r?\n')


@dataclass(frozen=True)
class Text:
    """A UTF-8 file to read: `path` (the export itself when its bytes need no change), the physical lines that
    were taken off its start, and repairs as rule -> count."""

    path: Path
    lines_off: int = 0
    repairs: dict[str, int] = field(default_factory=dict)


def decode(export: Export, source: Source, workdir: Path, stem: str) -> Text:
    """The export as UTF-8; declared encoding only, nothing detected.

    Refusals: ENC-INVALID with line, byte and position, ENC-UTF16, FMT-NUL, FILE-TRUNC, FILE-SIZE, FMT-SEPLINE.
    """
    encoding = _codec(source, export.name)
    with open(export.path, "rb") as handle:
        head = handle.read(CHUNK)
    packed = head.startswith(GZIP)
    if packed:
        head = next(raw_chunks(export, True), b"")
        if not head:
            raise Refusal("FILE-EMPTY", "the file is empty once unpacked", file=export.name)
    bom = next((mark for name, mark in BOMS if head.startswith(mark)), b"")
    _check_bom(bom, head, encoding, export.name)
    repairs = {"ENC-BOM": 1} if bom else {}
    is_utf8 = encoding == "utf-8"
    sepline = SEPLINE.match(head[len(bom):]) if is_utf8 else None
    as_is = is_utf8 and not packed and not bom and not sepline and source.delimiter != " "
    target = export.path if as_is else workdir / f"{stem}.utf8"
    pieces = _decoded(raw_chunks(export, packed), encoding, len(bom), export.name)
    if as_is:
        for _ in pieces:
            pass
        return Text(target)
    lines_off = _write(pieces, target, source, export.name, repairs)
    return Text(target, lines_off, repairs)


def no_text(name: str, line: int) -> Refusal:
    """The refusal for a NUL byte, which stands in no text: its line is that of the first one."""
    return Refusal("FMT-NUL", "the file holds NUL bytes: it is no text, or it was damaged on its way", file=name,
                   line=line, found="byte 0x00", expected="the export as text, CSV or JSON: fetch it again")


def _codec(source: Source, name: str) -> str:
    try:
        codec = codecs.lookup(source.encoding).name
    except LookupError:
        raise Refusal("ENC-UNKNOWN", "the declared encoding is not known", file=name, found=repr(source.encoding),
                      expected="for instance utf-8, windows-1252 or utf-16") from None
    return {"utf-8-sig": "utf-8", "ascii": "utf-8"}.get(codec, codec)


def _check_bom(bom: bytes, head: bytes, encoding: str, name: str) -> None:
    looks_wide = (bom and bom != codecs.BOM_UTF8) or head[:64].count(b"\0") >= len(head[:64]) // 3 > 0
    if looks_wide and not encoding.startswith("utf-16"):
        raise Refusal("ENC-UTF16", "the bytes are UTF-16", file=name, line=1, found="UTF-16",
                      expected=f"{encoding}; write `encoding: utf-16` if that is right")
    if encoding == "utf-16" and not bom:
        raise Refusal("ENC-UTF16", "UTF-16 without its mark does not say its byte order", file=name, line=1,
                      expected="`encoding: utf-16-le` or `utf-16-be`")
    if bom == codecs.BOM_UTF8 and encoding != "utf-8":
        raise Refusal("ENC-INVALID", "the file carries the mark of UTF-8", file=name, line=1, found="UTF-8",
                      expected=f"{encoding}; write `encoding: utf-8` if that is right")


def raw_chunks(export: Export, packed: bool) -> Iterator[bytes]:
    """The file's bytes, unpacked, in chunks; a bomb or a cut archive is refused."""
    with open(export.path, "rb") as handle:
        if not packed:
            while chunk := handle.read(CHUNK):
                yield chunk
            return
        unzip, total = zlib.decompressobj(wbits=31), 0
        while raw := handle.read(1 << 16):
            while raw:
                try:
                    chunk = unzip.decompress(raw, CHUNK)
                except zlib.error:
                    raise Refusal("FILE-TRUNC", "the gzip file is damaged", file=export.name) from None
                raw = unzip.unconsumed_tail or (unzip.unused_data if unzip.eof else b"")
                total += len(chunk)
                if total > BOMB_FLOOR and total > BOMB_RATIO * export.size:
                    raise Refusal("FILE-SIZE", "the file unpacks to far more than an export would", file=export.name,
                                  found=f"over {total >> 20} MB from {export.size} bytes",
                                  expected=f"at most {BOMB_RATIO} times its size")
                if chunk:
                    yield chunk
                if unzip.eof and raw:
                    unzip = zlib.decompressobj(wbits=31)
        if not unzip.eof:
            raise Refusal("FILE-TRUNC", "the gzip file ends in the middle", file=export.name,
                          expected="a whole file: fetch it again")


def _decoded(chunks: Iterator[bytes], encoding: str, skip: int, name: str) -> Iterator[bytes]:
    """The same text as UTF-8 chunks, without the first `skip` bytes."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    lines, tail, since_line = 1, b"", 0
    witness = _Witness() if _is_single_byte(encoding) else None
    wide, plain = encoding.startswith("utf-16"), encoding == "utf-8"
    for chunk in chunks:
        try:
            text = "" if plain and chunk.isascii() and not decoder.getstate()[0] else decoder.decode(chunk)
        except UnicodeDecodeError as error:
            raise _bad_byte(error, lines, tail, encoding, name) from None
        if witness:
            witness.see(chunk)
        out = chunk if plain else text.encode("utf-8")
        if b"\0" in out:
            before = out[:out.index(b"\0")]
            raise no_text(name, lines + before.count(b"\n"))
        if skip:
            out = out[3:] if not wide else out
            skip = 0
        newlines = out.count(b"\n")
        lines += newlines
        since_line = len(out) - out.rfind(b"\n") if newlines else since_line + len(out)
        if since_line > LINE_LIMIT and b"\r" not in out:
            raise Refusal("FILE-SIZE", "a line never ends", file=name, line=lines, found=f"over {LINE_LIMIT >> 20} MB",
                          expected="lines")
        tail = chunk[chunk.rfind(b"\n") + 1:][-1000:]
        yield out
    try:
        rest = decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise _bad_byte(error, lines, tail, encoding, name, at_end=True) from None
    if witness:
        witness.check(encoding, name)
    if rest:
        yield rest.encode("utf-8")


class _Witness:
    """Reads along as UTF-8 where another encoding of single bytes is declared."""

    def __init__(self) -> None:
        self.decoder, self.lines, self.line = codecs.getincrementaldecoder("utf-8")("strict"), 1, 0

    def see(self, chunk: bytes) -> None:
        if self.decoder is None:
            return
        if not self.line and not chunk.isascii():
            self.line = self.lines + chunk.count(b"\n", 0, NOT_ASCII.search(chunk).start())
        self.lines += chunk.count(b"\n")
        try:
            self.decoder.decode(chunk)
        except UnicodeDecodeError:
            self.decoder = None

    def check(self, encoding: str, name: str) -> None:
        """Refusal (ENC-INVALID) when all bytes are UTF-8 and some letter takes several: chance does not write so."""
        if self.decoder is not None and self.line and not self.decoder.getstate()[0]:
            raise Refusal("ENC-INVALID", f"the bytes are UTF-8, which {encoding} would read as other letters",
                          file=name, line=self.line, found="UTF-8", expected=f"{encoding}; write `encoding: utf-8`")


def _is_single_byte(encoding: str) -> bool:
    return encoding != "utf-8" and len(b"\xc3\xb3".decode(encoding, "replace")) == 2


def _bad_byte(error: UnicodeDecodeError, lines: int, tail: bytes, encoding: str, name: str,
              at_end: bool = False) -> Refusal:
    before = error.object[:error.start]
    line = lines + before.count(b"\n")
    inside = len(tail) if at_end else len(before) - (before.rfind(b"\n") + 1) + (0 if b"\n" in before else len(tail))
    byte = error.object[error.start:error.start + 1].hex().upper()
    return Refusal("ENC-INVALID", f"the bytes are not {encoding} (byte {inside + 1} of the line)", file=name,
                   line=line, found=f"byte 0x{byte}",
                   expected=f"{encoding}; if the tool writes another encoding, declare it (`encoding: windows-1252`)")


def check_end(path: Path, name: str) -> None:
    """Refusal (FILE-TRUNC) for a file cut in its last line, where the contract says that the tool ends it."""
    with open(path, "rb") as handle:
        handle.seek(max(0, path.stat().st_size - 1))
        if handle.read() in (b"\n", b"\r"):
            return
        handle.seek(0)
        line = 1 + sum(chunk.count(b"\n") for chunk in iter(lambda: handle.read(1 << 20), b""))
    raise Refusal("FILE-TRUNC", "the last line does not end: the file was cut", file=name, line=line,
                  expected="a whole file: fetch it again (or `final_newline: false`)")


def _write(pieces: Iterator[bytes], target: Path, source: Source, name: str, repairs: dict[str, int]) -> int:
    """Write the pieces; a `sep=` line is taken off, runs of blanks become one. Returns lines taken off."""
    lines_off, first, carry = 0, True, b""
    with open(target, "wb") as handle:
        for piece in pieces:
            if first:
                first, piece = False, piece.removeprefix(codecs.BOM_UTF8)
                if found := SEPLINE.match(piece):
                    if found[1].decode() != source.delimiter:
                        raise Refusal("FMT-SEPLINE", "the first line names another delimiter", file=name, line=1,
                                      found=found[0].decode().strip(), expected=f"delimiter {source.delimiter!r}")
                    piece, lines_off, repairs["FMT-SEPLINE"] = piece[found.end():], 1, 1
            if source.delimiter == " ":
                piece = carry + piece
                cut = piece.rfind(b"\n") + 1
                piece, carry = _single_blanks(piece[:cut]), piece[cut:]
            handle.write(piece)
        handle.write(_single_blanks(carry))
    return lines_off


def _single_blanks(lines: bytes) -> bytes:
    return re.sub(rb"(?m)^[ \t]+|[ \t]+(?=\r?$)", b"", re.sub(rb"[ \t]+", b" ", lines))
