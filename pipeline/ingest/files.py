"""Which files a source means, whether each is what its name says, and the sha256 that identifies it."""

import fnmatch
import hashlib
import os
import stat
import unicodedata
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.contracts.params import Source
from pipeline.contracts.refusal import Refusal

MAGIC = (
    (b"PK\x03\x04", "a zip or Excel file"), (b"%PDF", "a PDF file"), (b"\xd0\xcf\x11\xe0", "an old Excel file (.xls)"),
    (b"PAR1", "a Parquet file"), (b"7z\xbc\xaf", "a 7z archive"), (b"Rar!", "a rar archive"), (b"BZh", "a bzip2 file"),
    (b"\xfd7zXZ", "an xz file"), (b"\x89PNG", "a picture"), (b"SQLite format 3", "an SQLite database"),
)
GZIP = b"\x1f\x8b"
MARKUP = (b"<!doctype", b"<html", b"<?xml", b"<head", b"<body", b"<script")
LEFT_BEHIND = (".gitkeep", ".gitignore", ".DS_Store", "Thumbs.db", "desktop.ini")  # by systems, beside exports
UNPACKED_LIMIT = 8 << 30  # bytes that the parts of one workbook may unpack to


@dataclass(frozen=True)
class Export:
    """One file as it came: `name` is its path inside the source's folder, in NFC."""

    path: Path
    name: str
    sha256: str
    size: int


def find_exports(source: Source, name: str = "NAME") -> list[Export]:
    """The files of a source (`name` in params.yaml) in the order of their names; Refusal for what is no plain, whole,
    single file."""
    folder = Path(source.folder)
    if any(part == ".." for part in Path(source.files).parts) or Path(source.files).is_absolute():
        raise Refusal("FILE-NAME", "the file pattern leads out of its folder", file=source.folder,
                      found=repr(source.files), expected="a pattern inside the folder")
    without = f"without this export, take the block sources.{name} out of params.yaml"
    if not folder.is_dir():
        raise Refusal("SET-MISSING", "the folder of this source does not exist", file=source.folder,
                      expected=f"a folder with {source.files}; {without}")
    within = folder.iterdir() if len(Path(source.files).parts) == 1 else folder.rglob("*")
    paths = [path for path in within if _meant(path.relative_to(folder), source.files)]
    if not paths:
        present = ", ".join(sorted(p.name for p in folder.iterdir())[:8]) or "nothing"
        fetch = " (`python -m pipeline.ingest fetch` asks the database for it)" if source.database else ""
        raise Refusal("SET-MISSING", "no file of this name lies in the folder", file=source.folder,
                      found=present, expected=f"{source.files}{fetch}; {without}")
    exports = [_export(path, folder, source) for path in paths]
    exports.sort(key=lambda export: export.name)
    _refuse_twins(exports)
    return exports


def find_unread(sources: Sequence[Source]) -> tuple[str, ...]:
    """Names of the plain files in the folder of the first source that the pattern of none of them reads, in order;
    hidden and lock files among them, but not those that systems leave behind."""
    folder = Path(sources[0].folder)
    homes = [(Path(source.folder).resolve(), source.files) for source in sources]
    within = folder.iterdir() if len(Path(sources[0].files).parts) == 1 else folder.rglob("*")
    found = []
    for path in within:
        place = folder.resolve() / path.relative_to(folder)
        is_read = any(place.is_relative_to(home) and _meant(place.relative_to(home), files) for home, files in homes)
        if path.name not in LEFT_BEHIND and not is_read and stat.S_ISREG(os.lstat(path).st_mode):
            found.append(unicodedata.normalize("NFC", path.relative_to(folder).as_posix()))
    return tuple(sorted(found))


def refuse_shared(source: Source, exports: Sequence[Export], others: Sequence[Source]) -> None:
    """Refusal (FILE-TWICE) where another source of the same table reads one of these files: its rows would count
    twice. Sources of one file that tell their rows apart, by another sheet or another `drop`, may share it."""
    for other in others:
        if other is source or (other.table, other.sheet, other.drop) != (source.table, source.sheet, source.drop):
            continue
        home = Path(other.folder).resolve()
        for export in exports:
            place = export.path.parent.resolve() / export.path.name
            if place.is_relative_to(home) and _meant(place.relative_to(home), other.files):
                raise Refusal("FILE-TWICE", f"two sources of the table {source.table} read this file, so its rows "
                              "would count twice", file=export.name, found=f"{source.files}, {other.files}",
                              expected="each file in one source: move those of another form into a folder of their "
                              "own")


def _meant(relative: Path, pattern: str) -> bool:
    """Whether the pattern names this path; without a slash it speaks of the folder itself only. Hidden files and the
    locks of office programs are no exports."""
    if relative.name.startswith((".", "~$")):
        return False
    depth = len(Path(pattern).parts)
    parts = [unicodedata.normalize("NFC", part) for part in relative.parts]
    wanted = [unicodedata.normalize("NFC", part) for part in Path(pattern).parts]
    return len(parts) == depth and all(fnmatch.fnmatchcase(p, w) for p, w in zip(parts, wanted, strict=True))


def _export(path: Path, folder: Path, source: Source) -> Export:
    name = unicodedata.normalize("NFC", path.relative_to(folder).as_posix())
    if any(unicodedata.category(letter) in ("Cc", "Cf", "Cs") for letter in name):
        raise Refusal("FILE-NAME", "the file name holds a control character", file=repr(name),
                      expected="a name of printable characters")
    kind = os.lstat(path).st_mode
    if not stat.S_ISREG(kind):
        found = next(word for test, word in ((stat.S_ISLNK, "a link"), (stat.S_ISDIR, "a folder"),
                                             (stat.S_ISFIFO, "a pipe"), (lambda _: True, "a device")) if test(kind))
        raise Refusal("FILE-KIND", "this is no plain file", file=name, found=found, expected="a file")
    size = path.stat().st_size
    if size == 0:
        raise Refusal("FILE-EMPTY", "the file is empty", file=name, found="0 bytes", expected="a header and rows")
    _check_kind(path, name, source)
    with open(path, "rb") as handle:
        sha256 = hashlib.file_digest(handle, "sha256").hexdigest()
    return Export(path, name, sha256, size)


def _refuse_twins(exports: list[Export]) -> None:
    seen: dict[str, str] = {}
    for export in exports:
        if export.sha256 in seen:
            raise Refusal("FILE-DUP", "the same file was delivered twice", file=export.name,
                          found=f"the very bytes of {seen[export.sha256]}", expected="each export once")
        seen[export.sha256] = export.name


def _check_kind(path: Path, name: str, source: Source) -> None:
    """The first bytes must be those of the declared format."""
    with open(path, "rb") as handle:
        head = handle.read(4096)
    if source.format == "csv":
        check_text(head, name)
    elif source.format == "json":
        check_json(head, name)
    elif source.format == "parquet":
        if not head.startswith(b"PAR1"):
            raise Refusal("FMT-MAGIC", "this is not a Parquet file", file=name, expected="the bytes PAR1 at its start")
    else:
        check_workbook(path, head, name)


def check_text(head: bytes, name: str) -> None:
    for magic, what in MAGIC:
        if head.startswith(magic):
            raise Refusal("FMT-MAGIC", "the file is declared csv and is something else", file=name, found=what,
                          expected="text")
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:200].lower()
    if start.startswith(MARKUP):
        raise Refusal("FMT-HTML", "this is a web page saved under the name of an export", file=name,
                      found=start[:20].decode("ascii", "replace"), expected="the export itself: download it again")
    if start.startswith((b'{"', b"[{", b"{\n", b"{ ")):
        raise Refusal("FMT-HTML", "this is JSON, perhaps an error message of the tool", file=name,
                      found=start[:20].decode("ascii", "replace"), expected="a table as text")


def check_json(head: bytes, name: str) -> None:
    """Refusal (FMT-MAGIC) for what does not begin as an object or an array; packed and wide texts are told later."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not start.startswith((b"{", b"[", GZIP, b"\xff\xfe", b"\xfe\xff")):
        what = next((word for magic, word in MAGIC if start.startswith(magic)), None)
        raise Refusal("FMT-MAGIC", "the file is declared json and does not begin as JSON", file=name,
                      found=what or "another text", expected="an object a line, or an array of objects")


def check_workbook(path: Path, head: bytes, name: str) -> None:
    if not zipfile.is_zipfile(path) or not head.startswith(b"PK"):
        rule = "FILE-TRUNC" if head.startswith(b"PK") else "FMT-MAGIC"
        raise Refusal(rule, "this is not a whole Excel workbook", file=name, expected="an .xlsx file")
    with zipfile.ZipFile(path) as archive:
        parts = {info.filename: info.file_size for info in archive.infolist()}
    if "xl/workbook.xml" not in parts:
        packed = any(part.lower().endswith((".csv", ".txt", ".tsv", ".json", ".parquet")) for part in parts)
        raise Refusal("FMT-MAGIC", "the zip file holds no Excel workbook", file=name,
                      expected="its files: unpack it" if packed else "an .xlsx file")
    if path.suffix.lower() == ".xlsm" or any(part.endswith("vbaProject.bin") for part in parts):
        raise Refusal("XLS-MACRO", "workbooks with macros are not opened", file=name, expected="save it as .xlsx")
    if sum(parts.values()) > UNPACKED_LIMIT or sum(parts.values()) > 200 * max(path.stat().st_size, 100_000):
        raise Refusal("FILE-SIZE", "the workbook unpacks to far more than its size", file=name,
                      found=f"{sum(parts.values())} bytes", expected=f"at most {UNPACKED_LIMIT}")
