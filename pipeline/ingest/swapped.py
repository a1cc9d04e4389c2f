"""What the files of a source tell of each other: two columns that changed places, a number in another unit."""

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import combinations
from math import exp, log
from statistics import median
from typing import Any

import duckdb

from pipeline.contracts.params import Source
from pipeline.contracts.refusal import Refusal
from pipeline.ingest import columns, engine
from pipeline.ingest.account import named
from pipeline.ingest.raw import Loaded

LOOKED_AT, LEAST = 5_000, 20  # first records of each file that are looked at; fewer filled cells say nothing
OFTEN, MOSTLY, SELDOM = 0.2, 0.9, 0.1  # shares of the cells
APART = log(3)  # two columns whose typical sizes differ by less are not told apart by size
FAR = log(20)  # a typical size that differs by more from that of all other files is another unit
WORDS, ALIKE = 3, 0.5  # words that prove a change of places, and how alike their shares must be where none knows which
PLACES = 12  # different words of a category that one file may hold
Facts = dict[int, Any]  # number of the file -> what one column holds there


def refuse_swapped(con: duckdb.DuckDBPyConnection, source: Source, loaded: list[Loaded]) -> None:
    """Refusal (COL-SWAP) where two columns of one kind hold in some files each what the other one holds in the others:
    for the first of the fewer files; for all of them, named, where as many hold the one as the other.

    Numbers: one has fractions and the other has none, the other way round than elsewhere, and each is nearer to the
    typical size (geometric mean) of the other; or each has the typical size of the other, in the fewer files: of as
    many against as many, one may sell cheap things in numbers and the other dear ones singly. Words and ids: each holds
    the words, or ids of the shape on which the other files agree, of the other. Fewer than three words are no proof:
    a shop's own file may name `web` where that of the web names the shop (`odd_columns` tells of them).
    """
    for one, other, fewer, more, is_sure in _crossed(con, source, len(loaded)):
        if is_sure:
            raise _refusal([loaded[n].export.name for n in fewer], [loaded[n].export.name for n in more], source, one,
                           other)


def _crossed(con: duckdb.DuckDBPyConnection, source: Source,
             files: int) -> Iterator[tuple[str, str, list[int], list[int], bool]]:
    """(column, other column, the fewer files, the other files, is it proven) for each pair that changed places."""
    for kinds, facts_of, is_swapped in ((columns.NUMERIC, _numbers, _numbers_differ),
                                        (("category",), _words, _words_differ), (("id",), _shapes, _shapes_differ)):
        names = [c.name for c in columns.mapped(source) if c.kind in kinds and c.name in columns.kept_columns(source)]
        facts = {name: facts_of(con, name) for name in names} if len(names) > 1 and files > 1 else {}
        for one, other in combinations(facts, 2):
            sides = _sides(facts[one], facts[other], is_swapped)
            if sides:
                fewer, more = sides
                proof = {_numbers: _fractions_are_proof, _words: _words_are_proof}.get(facts_of)
                yield one, other, fewer, more, proof is None or proof(facts[one], facts[other], fewer, more)


def _sides(one: Facts, other: Facts, is_swapped: Callable[[int, Facts, Facts], bool]) -> tuple[list[int], ...]:
    """The files in which the two columns are the other way round than in the others, and these; the first file's side
    first where both are as many; () where no file tells itself from the rest, or not from each of the other side."""
    files = sorted(one.keys() & other.keys())
    swapped = [n for n in files if is_swapped(n, one, other)]
    if swapped and 2 * len(swapped) < len(files):
        return swapped, [n for n in files if n not in swapped]

    def differ(a: int, b: int) -> bool:
        return all(is_swapped(n, {a: one[a], b: one[b]}, {a: other[a], b: other[b]}) for n in (a, b))

    there = [n for n in files[1:] if differ(files[0], n)]
    here = [n for n in files if n not in there]
    if not there or not all(differ(a, b) for a in here for b in there):
        return ()
    return (here, there) if len(here) <= len(there) else (there, here)


def _fractions_are_proof(one: Facts, other: Facts, fewer: list[int], more: list[int]) -> bool:
    """Whether numbers changed places for sure: in the fewer files; of as many against as many only where one column has
    fractions and the other none, the other way round on either side. Size alone may be another trade."""
    here, there = ([median(facts[n][0] for n in files) for facts in (one, other)] for files in (fewer, more))
    return len(fewer) < len(more) or any(here[a] == 0 and there[b] == 0 and here[b] >= OFTEN and there[a] >= OFTEN
                                         for a, b in ((0, 1), (1, 0)))


def _words_are_proof(one: Facts, other: Facts, fewer: list[int], more: list[int]) -> bool:
    """Whether words that changed places are three at least; where nobody can tell which files are right, they must be
    about as frequent on both sides, too."""
    def shares(facts: Facts, files: list[int]) -> dict[str, float]:
        words = sum((facts[n] for n in files), Counter())
        return {word: count / words.total() for word, count in words.items()}

    here, there = ([shares(facts, files) for facts in (one, other)] for files in (fewer, more))
    alike = [sum(min(share, theirs.get(word, 0)) for word, share in own.items())
             for own, theirs in zip(here, there[::-1], strict=True)]
    return len(here[0] | here[1]) >= WORDS and (len(fewer) < len(more) or min(alike) >= ALIKE)


def odd_columns(con: duckdb.DuckDBPyConnection, source: Source, loaded: list[Loaded]) -> list[str]:
    """The sentences of `odd_numbers`, and one for each two columns that may have changed places."""
    said = odd_numbers(con, source, loaded)
    sized = {c.name for c in columns.mapped(source) if c.kind in columns.NUMERIC}
    for one, other, fewer, more, _ in _crossed(con, source, len(loaded)):  # what is proven was refused before
        files, others = ([loaded[n].export.name for n in side] for side in (fewer, more))
        where = f"{named(files)}, columns {source.columns[one]!r} and {source.columns[other]!r}"
        said.append(f"{where}: each holds numbers of the size of the other one in {named(others)}; another trade, or "
                    "columns that changed places (COL-KIND)" if one in sized else
                    f"{where}: each holds what the other one holds in {named(others)} (COL-KIND)")
    return said


def odd_numbers(con: duckdb.DuckDBPyConnection, source: Source, loaded: list[Loaded]) -> list[str]:
    """A sentence (COL-KIND) for each column of numbers that in one file alone has fractions in most cells, or a typical
    size 20 times that of every other file (or a 20th of it): cents for euros, a price for a quantity."""
    said = []
    for column in columns.mapped(source) if len(loaded) > 2 else ():
        facts = _numbers(con, column.name) if column.kind in columns.NUMERIC else {}
        for number, (share, size) in facts.items() if len(facts) > 2 else ():
            others = [other for n, other in facts.items() if n != number]
            gaps = [size - other for _, other in others]
            what = ""
            if share > 1 / 2 and not any(other for other, _ in others):
                what = "fractions, and whole numbers only"
            elif min(gaps) > FAR or max(gaps) < -FAR:
                what = f"numbers of another size ({exp(size):,.3g}), and about {exp(median(s for _, s in others)):,.3g}"
            if what:
                where = f"{loaded[number].export.name}, column {source.columns[column.name]!r}"
                said.append(f"{where}: it holds {what} in the other files (COL-KIND)")
    return said


def _refusal(fewer: list[str], more: list[str], source: Source, first: str, second: str) -> Refusal:
    heads = source.columns[first], source.columns[second]
    if len(fewer) == len(more):
        return Refusal("COL-SWAP", f"this column and {heads[1]!r} hold in {named(fewer)} each what the other one "
                       f"holds in {named(more)}: they changed places under the same header in the one or the other, "
                       "and nothing tells in which", file=fewer[0], column=heads[0],
                       found=f"{len(fewer)} of the files so, {len(more)} the other way round",
                       expected="each column under its own header in all files, or a source of its own for those "
                       "written the other way round")
    return Refusal("COL-SWAP", f"this column and {heads[1]!r} hold in this file what the other one holds in the other "
                   "files of the source: they changed places under the same header", file=fewer[0],
                   column=heads[0], found=f"{second} under {heads[0]!r}, {first} under {heads[1]!r}",
                   expected="each column under its own header, or a source of its own for this file")


def _cells(name: str) -> str:
    return f"SELECT _file, {engine.quoted(name)} AS x FROM records WHERE _row < {LOOKED_AT} AND x IS NOT NULL"


def _numbers(con: duckdb.DuckDBPyConnection, name: str) -> Facts:
    """(share of cells with a fraction, mean logarithm of the size) by file."""
    found = con.execute(f"SELECT _file, avg(CASE WHEN x <> round(x) THEN 1 ELSE 0 END), avg(ln(abs(x))) FROM "
                        f"({_cells(name)} AND x <> 0) GROUP BY 1 HAVING count(*) >= {LEAST}").fetchall()
    return {number: facts for number, *facts in found}


def _numbers_differ(file: int, one: Facts, other: Facts) -> bool:
    others = sorted((one.keys() & other.keys()) - {file})
    if file not in one or file not in other or not others:
        return False
    (first_share, first_size), (second_share, second_size) = one[file], other[file]
    shares = [median(facts[n][0] for n in others) for facts in (one, other)]
    sizes = [[facts[n][1] for n in others] for facts in (one, other)]
    usual = [median(each) for each in sizes]
    nearer = (abs(first_size - usual[1]) < abs(first_size - usual[0])
              and abs(second_size - usual[0]) < abs(second_size - usual[1]))
    whole_elsewhere = (shares[0] == 0 and shares[1] >= OFTEN and first_share >= OFTEN and second_share == 0)
    whole_here = (shares[1] == 0 and shares[0] >= OFTEN and second_share >= OFTEN and first_share == 0)
    gap = abs(usual[0] - usual[1])
    steady = all(abs(size - mid) <= gap / 4 for each, mid in zip(sizes, usual, strict=True) for size in each)
    swapped = abs(first_size - usual[1]) <= gap / 4 and abs(second_size - usual[0]) <= gap / 4
    return (nearer and (whole_elsewhere or whole_here)) or (gap >= APART and steady and swapped)


def _words(con: duckdb.DuckDBPyConnection, name: str) -> Facts:
    """Cells by word, for each file with few words."""
    found: Facts = {}
    for number, word, count in con.execute(f"SELECT _file, lower(x), count(*) FROM ({_cells(name)}) GROUP BY ALL "
                                           "ORDER BY ALL").fetchall():
        found.setdefault(number, Counter())[word] = count
    return {number: words for number, words in found.items() if len(words) <= PLACES and words.total() >= LEAST}


def _words_differ(file: int, one: Facts, other: Facts) -> bool:
    if file not in one or file not in other:
        return False
    own = [Counter(word for n, words in facts.items() if n != file for word in words) for facts in (one, other)]

    def share(words: Counter, here: Counter, there: Counter) -> float:
        return sum(count for word, count in words.items() if here[word] > there[word]) / words.total()

    pairs = ((one[file], own[1], own[0]), (other[file], own[0], own[1]))
    return all(share(words, theirs, mine) >= MOSTLY and share(words, mine, theirs) <= SELDOM
               for words, theirs, mine in pairs)


def _shapes(con: duckdb.DuckDBPyConnection, name: str) -> Facts:
    """The shape of most ids (P1001 and P7 are P9), by file; "" where no shape has most."""
    found = con.execute(f"SELECT _file, CASE WHEN 10 * max(n) >= {10 * MOSTLY:g} * sum(n) THEN arg_max(shape, n) "
                        "ELSE '' END FROM (SELECT _file, regexp_replace(trim(x), '[0-9]+', '9', 'g') AS shape, "
                        f"count(*) AS n FROM ({_cells(name)}) GROUP BY 1, 2) GROUP BY 1 HAVING sum(n) >= {LEAST}")
    return dict(found.fetchall())


def _shapes_differ(file: int, one: Facts, other: Facts) -> bool:
    usual = [{shape for n, shape in facts.items() if n != file} for facts in (one, other)]
    if file not in one or file not in other or any(len(shapes) != 1 for shapes in usual):  # the others must agree
        return False
    (first,), (second,) = usual
    if "" in (first, second) and len(one.keys() | other.keys()) < 3:  # no shape at all, in one other file
        return False
    return first != second and one[file] == second and other[file] == first
