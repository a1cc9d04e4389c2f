"""A bounded sample of a text export, taken in one streaming pass over its bytes: encoding, lines, head and slices."""

import codecs
import re
from dataclasses import dataclass
from pathlib import Path

from pipeline.ingest.decode import BOMS, no_text, raw_chunks
from pipeline.ingest.files import GZIP, Export
from pipeline.ingest.gaps import Gaps

HEAD = 1 << 20  # bytes of the start that are looked at
STEP, SLICE, SLICES = 1 << 18, 1 << 14, 128  # one piece every STEP bytes; past SLICES every second one is let go
TAIL = 1 << 12
GAPS = 200  # empty rows behind which it is looked
UNDEFINED = {0x81, 0x8D, 0x8F, 0x90, 0x9D}  # bytes without a letter in windows-1252
EXPECTED = set("áéíóúüñçàèìòùâêîôûäöëïÁÉÍÓÚÜÑÇÀÈÒÄÖãõÃÕåÅøØæÆßºª¿¡€·«»“”‘’–—…°´© ®™£§½²\u00a0")
ASCII = bytes(range(128))
SIGN_INSIDE = re.compile(rb"[a-z][\x80-\x90\x93-\x9f][a-z]")
PAIRS = re.compile(rb"\xc3[\x80-\xbf]")


@dataclass(frozen=True)
class Sample:
    """encoding (None: cannot be told) and why; head; slices as (physical line, text); tail; lines of the file."""

    encoding: str | None
    why: str
    head: str
    slices: tuple[tuple[int, str], ...]
    tail: str
    lines: int
    whole: bool  # the head is the whole file
    is_ascii: bool = False  # every encoding reads it alike
    gaps: tuple[tuple[int, str], ...] = ()  # (line of an empty row, text from there on)


def take_sample(path: Path) -> Sample:
    """The sample of a file; Refusal for NUL bytes, a damaged archive or one that unpacks to far more than an export
    would."""
    with open(path, "rb") as handle:
        packed = handle.read(2) == GZIP
    export = Export(path, path.name, "", path.stat().st_size)
    strict = codecs.getincrementaldecoder("utf-8")("strict")
    head, tail, slices, stride, gaps = b"", b"", [], 1, Gaps(SLICE, GAPS)
    is_utf8, high, lines, bad_line, size, nul = True, set(), 0, None, 0, 0
    for chunk in raw_chunks(export, packed):
        if is_utf8:
            try:
                strict.decode(chunk)
            except UnicodeDecodeError as error:
                is_utf8, bad_line = False, lines + error.object[:error.start].count(b"\n") + 1
        high.update(set(chunk.translate(None, ASCII)))
        nul = nul or (lines + chunk.count(b"\n", 0, chunk.index(b"\0")) + 1 if b"\0" in chunk else 0)
        if len(head) < HEAD:
            head += chunk[:HEAD - len(head)]
        done, passed = 0, 0
        for at in range(max(-size % STEP, HEAD - size), len(chunk), STEP):
            if (size + at) // STEP % stride == 0:
                passed, done = passed + chunk[done:at].count(b"\n"), at
                slices.append((lines + passed + 1, chunk[at:at + SLICE]))
        while len(slices) > SLICES:
            slices, stride = slices[::2], stride * 2
        gaps.feed(chunk)
        tail = (tail + chunk)[-TAIL:]
        lines += chunk.count(b"\n")
        size += len(chunk)
    gaps.feed(b"", is_last=True)
    if is_utf8:
        try:
            strict.decode(b"", final=True)
        except UnicodeDecodeError:
            is_utf8, bad_line = False, lines + 1
    encoding, why = _encoding(head, is_utf8, high, nul > 0, bad_line)
    if nul and not (encoding or "").startswith("utf-16"):
        raise no_text(path.name, nul)
    codec = encoding or "windows-1252"
    wide = codec.startswith("utf-16")
    texts = [] if wide else [(line, _text(part, codec)) for line, part in slices]
    behind = [] if wide else [(line, _text(part, codec)) for line, part in gaps.found]
    return Sample(encoding, why, _text(head, codec).removeprefix("\ufeff"), tuple(_whole_lines(texts)),
                  "" if wide else _text(tail, codec), lines + (not tail.endswith(b"\n")), size <= len(head), not high,
                  tuple(behind))


def _text(part: bytes, codec: str) -> str:
    """The text of a piece; letters cut at its ends are left out."""
    return codecs.getincrementaldecoder(codec)("ignore").decode(part)


def _whole_lines(texts: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Pieces without the lines that were cut at their ends."""
    found = []
    for line, text in texts:
        first, _, rest = text.partition("\n")
        if first is not text and "\n" in rest:
            found.append((line + 1, rest[:rest.rindex("\n") + 1]))
    return found


def _encoding(head: bytes, is_utf8: bool, high: set[int], nul: bool, bad_line: int | None) -> tuple[str | None, str]:
    bom = next(((name, mark) for name, mark in BOMS if head.startswith(mark)), None)
    if bom and bom[0] == "utf-16":
        return "utf-16", "a byte order mark of UTF-16"
    if nul and head[:200].count(b"\0") >= len(head[:200]) // 3:
        order = "le" if head[1:2] == b"\0" else "be"
        return f"utf-16-{order}", "every second byte is zero: UTF-16 without its mark"
    if is_utf8:
        mark = "a byte order mark, and " if bom else ""
        return "utf-8", mark + ("only ASCII bytes: every encoding reads them alike" if not high - set(b"\xef\xbb\xbf")
                                else "every byte fits UTF-8")
    where = f"line {bad_line} is not UTF-8"
    if bom or len(PAIRS.findall(head)) > 3:
        return None, f"{where}, though other lines are: two encodings in one file"
    if high & UNDEFINED:
        return None, f"{where}, and some bytes have no letter in windows-1252"
    letters = sorted(bytes([byte]).decode("cp1252") for byte in high)
    shown = " ".join(letters[:12])
    is_odd = min(high) < 0xA0 and max(high) < 0xC0 and SIGN_INSIDE.search(head)  # a word with a dash for its accent
    if set(letters) <= EXPECTED and not is_odd:
        return "windows-1252", f"{where}; as windows-1252 the letters are: {shown}"
    return None, f"{where}; as windows-1252 the letters would be: {shown}, which is unusual (mac-roman? cp850?)"
