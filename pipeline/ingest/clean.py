"""One source from its exports to its canonical table, its quarantine and its account."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import numpy as np

from pipeline.contracts.params import Company, Privacy, Source
from pipeline.contracts.refusal import Refusal
from pipeline.ingest import answers, columns, engine, plain, privacy, quarantine, tables, write
from pipeline.ingest.account import Account, FileCount, named, rule_counts
from pipeline.ingest.contract import check_contract
from pipeline.ingest.duplicates import find_duplicates, find_overlaps, key_hash, view_others
from pipeline.ingest.files import Export, find_exports, find_unread, refuse_shared
from pipeline.ingest.fill import fill_down
from pipeline.ingest.groups import find_group_faults, refuse_drift
from pipeline.ingest.identity import refuse_case
from pipeline.ingest.json_chain import missing_pages
from pipeline.ingest.json_pages import Answer
from pipeline.ingest.raw import Loaded
from pipeline.ingest.read_csv import load_csv
from pipeline.ingest.read_parquet import load_parquet
from pipeline.ingest.redact import shown
from pipeline.ingest.rules import Check, first_of
from pipeline.ingest.second_table import set_apart
from pipeline.ingest.shifted import set_shifted
from pipeline.ingest.spelling import count_folded, fold_words
from pipeline.ingest.swapped import odd_columns, refuse_swapped

REPAIRS = {"ENC-BOM", "FMT-SEPLINE", "FMT-EOL", "FMT-HEADROWS", "SRC-QUALTRICS-HDR", "SRC-SM-HDR", "COL-NORM",
           "ORDER-FILL"}
MANIFEST = Path("data/raw/demo/manifest.json")


@dataclass(frozen=True)
class Cleaned:
    """What a source became: two Parquet files in the work folder, and the account of every record."""

    clean: Path
    quarantine: Path
    account: Account


def clean_source(name: str, source: Source, company: Company, private: Privacy, workdir: Path,
                 manifest: Path = MANIFEST, others: Sequence[Source] = (),
                 say: Callable[[str], None] = lambda what: None) -> Cleaned:
    """The canonical table of one source, pseudonymised and redacted; what broke a rule; and the account.

    others: the sources whose files may lie in the same folder (FILE-UNREAD speaks of what none of them reads,
    FILE-TWICE of what two of one table read).
    say: told what begins, in words without a value of a row.
    Refusal when the contract leaves something open or a file breaks it; AssertionError when rows do not add up.
    """
    check_contract(source, name)
    try:
        return _cleaned(name, source, company, private, workdir, manifest, others, say)
    except PermissionError as error:
        raise Refusal("FILE-READ", "this may not be read or written", file=Path(error.filename or source.folder).name,
                      found=error.strerror, expected="a file and a folder that you may open") from None


def _cleaned(name: str, source: Source, company: Company, private: Privacy, workdir: Path, manifest: Path,
             others: Sequence[Source], say: Callable[[str], None]) -> Cleaned:
    exports = find_exports(source, name)
    refuse_shared(source, exports, others)
    made_by_demo = privacy.is_made_by_demo(exports, company, manifest)
    key = privacy.load_key(private, company)
    con = engine.connect(workdir)
    try:
        return _clean(con, name, source, company, exports, workdir, key, made_by_demo,
                      find_unread([source, *others]), say)
    finally:
        con.close()


def _clean(con: duckdb.DuckDBPyConnection, name: str, source: Source, company: Company, exports: list[Export],
           workdir: Path, key: bytes, made_by_demo: bool, unread: tuple[str, ...],
           say: Callable[[str], None]) -> Cleaned:
    tables.prepare_zone(con, source)
    loaded = []
    for number, export in enumerate(exports):
        say(f"reading {export.name} ({number + 1} of {len(exports)}, {export.size / 1e6:,.0f} MB)")
        one = set_apart(con, _load(con, export, source, workdir, f"raw_{number}"), source)
        one = set_shifted(con, one, source)
        loaded.append(fill_down(con, one, source))
    say(f"holding {sum(one.rows for one in loaded)} rows against the contract")
    if source.format != "csv" and source.decimal is None:  # typed cells are spelled with a point by their reader
        source = replace(source, decimal=".")
    plan = tables.plan(source, company)
    is_exact = company.ids == "exact"
    _make_records(con, plan, [one.table for one in loaded])
    _refuse(con, plan, loaded)
    refuse_swapped(con, source, loaded)
    odd = odd_columns(con, source, loaded)
    codes = fold_words(con, source, loaded)
    if company.ids is None:
        refuse_case(con, source, loaded)
    say("looking for duplicates")
    view_others(con, [one.table for one in loaded])
    find_duplicates(con, "records", source, name, is_exact)
    overlapping = find_overlaps(con, source, loaded)
    turned = sum(1 << k for k, note in enumerate(plan.notes) if note.rule == "SALE-SIGN")
    twisted = {note.column: k for k, note in enumerate(plan.notes) if note.rule == "ENC-MOJIBAKE"}
    find_group_faults(con, source, turned, is_exact, twisted)
    for way, change in (("plain", "UPDATE plain SET _is_plain = FALSE FROM"), ("careful", "DELETE FROM careful USING")):
        con.execute(f"{change} twins WHERE {way}._file = twins._file AND {way}._row = twins._row")
    con.execute("CREATE VIEW kept AS SELECT * FROM records WHERE _failed = 0")
    is_survey = source.table == "surveys"
    if is_survey:
        engine.create_table(con, "answers", answers.melt(engine.frame(con, "SELECT * FROM kept"), source))
        refuse_drift(con, source, loaded)
    quarantine.collect(con, plan, is_survey)
    files = _files(con, loaded, is_survey)
    counts = _counts(con, plan, loaded, is_survey)
    counts["CAT-CASE", "repaired"] += count_folded(con)
    counts["CAT-CODE", "warned"] += sum(codes.values())
    counts["COL-KIND", "warned"] += len(odd)
    pages = _missing_pages(source, loaded)
    counts["JSON-PAGE", "warned"] += len(pages)
    counts["FILE-UNREAD", "warned"] += len(unread)
    counts["FILE-OVERLAP", "warned"] += overlapping
    say("writing")
    clean_path, quarantine_path = workdir / "clean.parquet", workdir / "quarantine.parquet"
    quarantine.write_quarantine(con, plan, loaded, quarantine_path)
    for one in loaded:  # what follows has the memory to itself
        con.execute(f"DROP TABLE {engine.quoted(one.table)}")
    counts.update(write.write_clean(con, source, key, clean_path, [one.rows for one in loaded], is_exact, say))
    account = Account(name, source.table, files, "answers" if len(source.instruments) > 1 else "rows",
                      rule_counts(counts), privacy.key_id(key, is_exact), made_by_demo,
                      _answer_counts(con, source) if is_survey else {}, unread, (*odd, *codes, *pages))
    if account.total("rows_in") and not account.total("clean") and not source.allow_empty:
        raise quarantine.nothing_left(con, quarantine_path)
    return Cleaned(clean_path, quarantine_path, account)


def _load(con: duckdb.DuckDBPyConnection, export: Export, source: Source, workdir: Path, table: str) -> Loaded:
    if source.format == "csv":
        return load_csv(con, export, source, workdir, table)
    if source.format == "parquet":
        return load_parquet(con, export, source, table)
    if source.format == "json":  # these two load a library of workbooks, a fifth of the start of a process
        from pipeline.ingest.read_json import load_json
        return load_json(con, export, source, workdir, table)
    from pipeline.ingest.read_excel import load_excel
    return load_excel(con, export, source, table)


def _missing_pages(source: Source, loaded: list[Loaded]) -> list[str]:
    """A sentence (JSON-PAGE) for each set of a program's answers of which some is not among the files."""
    if source.records is None:
        return []
    answers = [Answer(one.beside, source.records, one.rows + len(one.rejects)) for one in loaded]
    return [f"{named([loaded[place].export.name for place in group])}: {key!r} says that there are more records than "
            "the files of this source hold (JSON-PAGE)" for key, group in missing_pages(answers)]


def _make_records(con: duckdb.DuckDBPyConnection, plan: tables.Plan, raw_tables: list[str]) -> None:
    """Make the view `records` over rows that are plain and rows that went the careful way."""
    key = {"_key": key_hash(plan.source, plan.company.ids == "exact")}
    raw = tables.raw_rows(con, raw_tables, plan)
    engine.create_table(con, "plain", engine.derive(plain.plain_rows(con, raw, plan), key))
    others = "rowid IN (SELECT _row FROM plain WHERE _file = {file} AND NOT _is_plain)"
    engine.create_table(con, "others", tables.raw_rows(con, raw_tables, plan, others))
    others = engine.frame(con, "SELECT * FROM others")
    engine.create_table(con, "careful", engine.derive(tables.records(con, others, plan), key))
    con.execute("DROP TABLE others")
    kept, fixed = columns.kept_columns(plan.source), columns.fixed(plan.source, plan.company)
    full = ", ".join(map(engine.quoted, kept))
    slim = ", ".join(f"{fixed[name]} AS {engine.quoted(name)}" if name in fixed else engine.quoted(name)
                     for name in kept)
    con.execute(f"CREATE VIEW records AS SELECT _file, _row, _key, {slim}, 0::BIGINT AS _failed, _noted FROM plain "
                f"WHERE _is_plain UNION ALL SELECT _file, _row, _key, {full}, _failed, _noted FROM careful")


def _refuse(con: duckdb.DuckDBPyConnection, plan: tables.Plan, loaded: list[Loaded]) -> None:
    """Raise for the first record that shows the contract itself to be wrong or open."""
    bits = sum(1 << k for k, check in enumerate(plan.checks) if check.verdict == "refused")
    found = engine.first(con, f"SELECT _file, _row, _failed & {bits} FROM records WHERE _failed & {bits} <> 0 "
                              "ORDER BY 1, 2 LIMIT 1") if bits else None
    if found is None:
        return
    one, check = loaded[found[0]], plan.checks[first_of(found[2])]
    header = plan.source.columns[check.column]
    value = engine.first(con, f"SELECT {engine.quoted(header)} FROM {engine.quoted(one.table)} WHERE rowid = ?",
                         [found[1]])[0]
    sentence, expected = OPEN[check.rule]
    raise Refusal(check.rule, sentence, file=one.export.name, line=int(one.lines_of(np.array([found[1]]))[0]),
                  column=header, found=repr(shown(value)), expected=expected)


OPEN = {
    "NUM-LOCALE": ("a number with a point or comma, and the contract does not say which one is the decimal",
                   '`decimal: ","` or `decimal: "."` (and `thousands`) for this source'),
    "TIME-ZONE": ("a time without its zone, and the contract does not say where the clock hung",
                  "`time_zone: Europe/Madrid` (or another) for this source"),
}


def _files(con: duckdb.DuckDBPyConnection, loaded: list[Loaded], is_survey: bool) -> list[FileCount]:
    """Per file: records in as the reader counted them; clean, quarantined and dropped as the tables hold them."""
    def per_file(query: str) -> Counter:
        return Counter(dict(con.execute(query).fetchall()))

    dropped = per_file("SELECT _file, count(*) FROM fates WHERE verdict = 'dropped' GROUP BY 1")
    out = per_file("SELECT _file, count(*) FROM fates WHERE verdict = 'quarantined' AND is_record GROUP BY 1")
    clean = per_file("SELECT _file, count(*) FROM kept GROUP BY 1")
    if is_survey:  # a record is clean when one of its answers is, quarantined when it has only answers that are not
        good = "(SELECT DISTINCT _file, _row FROM answers WHERE _failed = 0)"
        clean = per_file(f"SELECT _file, count(*) FROM {good} GROUP BY 1")
        out += per_file("SELECT _file, count(*) FROM (SELECT DISTINCT _file, _row FROM answers WHERE _failed <> 0) "
                        f"ANTI JOIN {good} USING (_file, _row) GROUP BY 1")
    return [FileCount(one.export.name, one.export.sha256, one.rows_in, clean[n], out[n] + len(one.rejects),
                      dropped[n] + one.blank) for n, one in enumerate(loaded)]


def _answer_counts(con: duckdb.DuckDBPyConnection, source: Source) -> dict[str, int]:
    """Answers of the records that came through: every cell of every instrument, and what became of it."""
    records = engine.first(con, "SELECT count(*) FROM kept")[0]
    asked, clean = engine.first(con, "SELECT count(*), count(*) FILTER (_failed = 0) FROM answers")
    cells = records * max(1, sum(1 for kind in source.instruments.values() if kind.column))
    not_asked = engine.first(con, answers.count_not_asked(source))[0]
    return {"answers_in": cells, "answers_clean": clean, "answers_quarantined": asked - clean,
            "answers_not_asked": not_asked}


def _counts(con: duckdb.DuckDBPyConnection, plan: tables.Plan, loaded: list[Loaded], is_survey: bool) -> Counter:
    """(rule, verdict) -> rows; repairs and warnings are counted over what came through."""
    counts: Counter = Counter()
    for rule, verdict, rows in con.execute("SELECT rule, verdict, count(*) FROM fates GROUP BY 1, 2").fetchall():
        counts[rule, verdict] += rows
    _add_notes(con, counts, "kept", "TRUE", plan.notes)
    if is_survey:
        _add_notes(con, counts, "answers", "_failed = 0", answers.answer_notes())
    for one in loaded:
        counts.update((reject.rule, "quarantined") for reject in one.rejects)
        counts["FMT-BLANK", "dropped"] += one.blank
        for rule, rows in one.notes.items():
            counts[rule, "repaired" if rule in REPAIRS else "warned"] += rows
    return counts


def _add_notes(con: duckdb.DuckDBPyConnection, counts: Counter, table: str, where: str, notes: list[Check]) -> None:
    sums = ", ".join(f"count(*) FILTER ((_noted & {1 << k}) <> 0)" for k in range(len(notes)))
    found = engine.first(con, f"SELECT {sums} FROM {table} WHERE {where}") if notes else ()
    for note, rows in zip(notes, found, strict=True):
        counts[note.rule, note.verdict] += rows
