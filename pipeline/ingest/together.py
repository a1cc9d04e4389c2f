"""Several files that inspect was given: those written alike are the exports of one source."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from fnmatch import fnmatchcase
from glob import escape
from itertools import takewhile
from pathlib import Path
from typing import Any

from pipeline.contracts.refusal import Refusal
from pipeline.contracts.spoken import phrased
from pipeline.ingest.contract import TELL
from pipeline.ingest.findings import block_of, findings
from pipeline.ingest.header import normal
from pipeline.ingest.inspect import Inspection, inspect_file
from pipeline.ingest.proposal import KEYS, Proposal, propose
from pipeline.ingest.salesforce import met_halfway

Key = tuple
BESIDE = 24  # files beside them that are looked at
ENDS, ANSWERS = (5, 7, 10), 30  # of the usual scales; answers from which their highest tells the scale
SEVERAL = object()  # the files decide differently


def alike(found: Inspection) -> Key:
    """What must be equal for one source to read both files: where and how they lie, their header and their dialect,
    the encoding apart."""
    layout = found.layout
    return (found.path.parent, found.format, _names(found), found.header_rows, found.skip_rows,
            layout and (layout.delimiter, layout.quote or '"', layout.is_sure), found.table, tuple(found.lists))


def _encoding(found: Inspection) -> str | None:
    """The encoding that a file needs; None where every one reads it alike."""
    return found.sample.encoding or found.sample.why if found.sample and not found.sample.is_ascii else None


def grouped(seen: list[Inspection]) -> list[list[Inspection]]:
    """The files that one source can read, together. One of ASCII letters alone goes with those beside it that need an
    encoding (most of them, where these need several)."""
    groups: dict[Key, dict[str | None, list[Inspection]]] = {}
    order = {id(found): place for place, found in enumerate(seen)}
    for found in seen:
        groups.setdefault(alike(found), {}).setdefault(_encoding(found), []).append(found)
    for own in groups.values():
        plain = own.pop(None, [])
        home = max(own, key=lambda name: len(own[name]), default=None)
        own[home] = sorted([*own.get(home, []), *plain], key=lambda one: order[id(one)])
    return sorted((group for own in groups.values() for group in own.values() if group),
                  key=lambda group: order[id(group[0])])


def _names(found: Inspection) -> tuple[str, ...]:
    """The header in whatever order: its names say which column is which; places where there is none."""
    names = map(normal, found.headers)
    return tuple(sorted(names) if found.header_rows else names)


def pattern(names: list[str], strangers: list[str] | None = None) -> str | None:
    """The widest glob of one star that names these files and none of `strangers` (files of another shape beside them):
    the words with which the names begin alike, or the letters; their suffix, or the letters with which they end.
    None where every such glob names a stranger."""
    if len(names) == 1:
        return escape(names[0])
    start = _beginning(names)
    end = _beginning([name[len(start):][::-1] for name in names])[::-1]
    year = start[:max((at + 1 for at, sign in enumerate(start) if not sign.isalnum()), default=0)]
    start = "".join(takewhile(lambda sign: not sign.isdigit(), start))  # sales-2025-1 of January to March: sales-*
    suffix = end[end.rindex("."):] if "." in end else ""
    end = end if not end[:1].isdigit() else suffix
    words = start[:max((at + 1 for at, sign in enumerate(start) if not sign.isalnum()), default=0)]
    tried = [f"{escape(head)}*{escape(tail)}" for head, tail in ((words, suffix), (start, suffix), (start, end),
                                                                (year, end))]
    return next((one for one in tried if not any(fnmatchcase(name, one) for name in strangers or [])), None)


def strangers_of(group: list[Inspection], others: Iterable[Inspection] = ()) -> list[str]:
    """The names of the files beside these that are written otherwise, that no reader opens, or that are `others`: of
    another group. Beside files of ASCII letters alone, one that needs an encoding goes with any."""
    own, taken = {found.path.name for found in group}, {found.path for found in others}
    example = next((found for found in group if _encoding(found)), group[0])
    beside = sorted(path for path in group[0].path.parent.iterdir() if path.name not in own
                    and not path.name.startswith((".", "~$")) and path.is_file())
    return [path.name for path in beside[:BESIDE] if path in taken or not _is_alike(path, example)] + \
        [path.name for path in beside[BESIDE:]]


def _is_alike(path: Path, found: Inspection) -> bool:
    try:
        other = inspect_file(path) if path.suffix == found.path.suffix else None
        return other is not None and len(grouped([found, other])) == 1
    except Refusal:
        return False


def _beginning(names: list[str]) -> str:
    """The letters with which all of them begin."""
    return "".join(letters[0] for letters in takewhile(lambda letters: len(set(letters)) == 1,
                                                       zip(*names, strict=False)))


def one_source(group: list[Inspection], home: Path | None = None, others: Iterable[Inspection] = ()) -> Proposal:
    """The proposal for files written alike: what any of them decides holds for all, what none decides is asked once.

    home: the folder of their own into which they must be moved. Files that no glob tells from those beside them are
    asked about: those others must be moved first.
    """
    proposals = [propose(found) for found in group]
    raw: dict[str, Any] = {}
    for key in dict.fromkeys(key for proposal in proposals for key in proposal.raw):
        raw[key] = _agreed(key, [proposal.raw[key] for proposal in proposals if key in proposal.raw])
    if len(group) > 1:
        names, beside = sorted(found.path.name for found in group), [] if home else strangers_of(group, others)
        glob = pattern(names)
        raw["files"] = pattern(names, beside) or f"{TELL} move {_matching(glob, beside)} into a folder of their own, " \
            f"then write {glob} here"
    if home:
        raw["folder"] = str(home)
    raw = {key: raw[key] for key in KEYS if key in raw}
    told = {key: text for proposal in proposals for key, text in proposal.told.items()
            if key.split(".")[0] not in raw or _asks(raw[key.split(".")[0]])}
    bare = [found.layout is not None and not found.layout.quote for found in group]
    if any(bare) and any(_encloses(found) for found in group):
        raw["quote"] = f"{TELL} some files put texts between quotes, in others quotes are a part of them: they need " \
                       "a source each"
    if "instruments" in told and (doubt := _other_scale(group)):
        told["instruments"] = doubt
    if raw.get("decimal") is SEVERAL:
        del raw["decimal"]
        told["decimal"] = "some files write a comma and others a point: they need a source each"
    later = max((proposal.later for proposal in proposals), key=len)  # in a month of its own a question may hold words
    return replace(proposals[0], raw=raw, told=told, later=later)


def _other_scale(group: list[Inspection]) -> str | None:
    """The question for a survey whose answers end elsewhere in one file than in another; None where all end alike."""
    for head in dict.fromkeys(head for found in group for head in found.asked.values()):
        ends = {next((end for end in ENDS if column.scale[1] <= end), ENDS[-1]): found.path.name for found in group
                if (column := found.columns.get(head)) and column.scale and column.filled >= ANSWERS}
        if len(ends) > 1:
            low, high = min(ends), max(ends)
            return (f"{head!r} goes up to {low} in {ends[low]} and up to {high} in {ends[high]}: if that is another "
                    "scale, these files need a source each; which end is good; uncomment the lines once they are right")
    return None


def _encloses(found: Inspection) -> bool:
    """Whether quotes enclose texts in this file."""
    return bool(found.layout and found.layout.quote and found.sample and found.layout.quote in found.sample.head)


def _matching(glob: str, names: list[str]) -> str:
    """Those that the glob names too, for people."""
    found = [name for name in names if fnmatchcase(name, glob)]
    return ", ".join(found[:BESIDE]) + (", …" if len(found) > BESIDE else "")


def homes(groups: list[list[Inspection]]) -> list[Path | None]:
    """For each group the folder of its own that it needs: where its files cannot be told from those of a larger group
    in the same folder by a glob; None where they may stay."""
    found: dict[int, Path] = {}
    for group in sorted((group for group in groups if len(group) > 1), key=len, reverse=True):
        names = sorted(one.path.name for one in group)
        if id(group) in found or pattern(names, strangers_of(group, _others(group, groups))):
            continue
        glob = pattern(names)
        for other in groups:
            folder = other[0].path.parent
            if other is not group and folder == group[0].path.parent and any(
                    fnmatchcase(one.path.name, glob) for one in other):
                found.setdefault(id(other), folder / other[0].path.name.split(".")[0])
    return [found.get(id(group)) for group in groups]


def _others(group: list[Inspection], groups: list[list[Inspection]]) -> list[Inspection]:
    return [found for other in groups if other is not group for found in other]


def _agreed(key: str, values: list[Any]) -> Any:
    """What the files that decide have in common; the first question where none does, a question where they differ."""
    if isinstance(values[0], dict):
        names = dict.fromkeys(name for value in values for name in value)
        return {name: _agreed(name, [value[name] for value in values if name in value]) for name in names}
    decided = [value for value in values if not _asks(value)] or values[:1]
    if key == "timestamps":
        forms = list(dict.fromkeys(form for value in decided for form in value))
        swapped = [form for form in forms if "%d" in form
                   and form.replace("%d", "%#").replace("%m", "%d").replace("%#", "%m") in forms]
        differ = f"{TELL} some files write the day first and others the month ({', '.join(swapped)}): they need a " \
                 "source each"
        return [differ] if swapped else forms
    if key == "missing":
        return list(dict.fromkeys(word for value in decided for word in value))
    return SEVERAL if key == "decimal" and len(set(decided)) > 1 else decided[0]


def _asks(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_asks, value.values()))
    return any(map(_asks, value)) if isinstance(value, list) else str(value).startswith(TELL)


def report_all(names: list[str], tell: Callable[[str, Callable[[], str]], None], table: str | None = None,
               tongue: str = "en") -> None:
    """Tell the findings of each file, then one block for each group of files written alike.

    tell: called with a file's name and what makes its text (which may raise a Refusal). table: the canonical table of
    these files, if told.
    """
    seen: list[Inspection] = []

    def look(name: str) -> str:
        found = inspect_file(Path(name), table)
        seen.append(found)
        return findings(found, tongue)
    for name in names:
        tell(name, lambda name=name: look(name))
    groups = grouped(seen)
    for group, home in zip(groups, homes(groups), strict=True):
        said = "# for params.yaml, under sources:" + (f" one source of {len(group)} files" if len(group) > 1 else "")
        head = phrased(said, tongue)
        tell(group[0].path.name, lambda group=group, head=head, home=home:
             f"{head}\n{block_of(one_source(group, home, _others(group, groups)), tongue)}")
    halves = met_halfway([(found.path.name, head, column.salesforce, column.records) for found in seen
                          for head, column in found.columns.items() if column.salesforce])
    for sentence in halves:
        tell(seen[0].path.name, lambda sentence=sentence: phrased(sentence, tongue))
