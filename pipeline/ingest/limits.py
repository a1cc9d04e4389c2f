"""The values of a contract that have the right type and cannot be: each refused by its key before a file is opened."""

import codecs
import re

import duckdb

from pipeline.contracts.params import Source
from pipeline.contracts.refusal import Refusal
from pipeline.contracts.tables import TABLES
from pipeline.ingest import engine
from pipeline.ingest.columns import NEGATIVE, TYPES
from pipeline.ingest.raw import ROW

NO_FILES = ("punycode", "idna", "undefined", "unicode_escape", "raw_unicode_escape", "utf-7")
LEAST = {"header_rows": 0, "skip_rows": 0, "late_days": 0}
NAMED = (*engine.EPOCHS, "iso8601", "excel_serial")


def check_limits(source: Source, name: str) -> None:
    """Refusals: ENC-UNKNOWN for an encoding in which no export is written, PARAM-TYPE for all else."""
    for key, least in LEAST.items():
        if getattr(source, key) < least:
            raise _refused(name, key, getattr(source, key), f"a whole number from {least}")
    if not 0 <= source.quarantine_limit <= 1:
        raise _refused(name, "quarantine_limit", source.quarantine_limit, "a share from 0 to 1")
    sign = source.thousands
    if sign is not None and (len(sign) != 1 or sign.isalnum() or sign in ("+", "-", source.decimal)):
        raise _refused(name, "thousands", sign, "one character that is neither a digit nor the decimal sign")
    _check_encoding(source)
    with duckdb.connect() as con:
        for form in source.timestamps:
            if form not in NAMED and not _is_format(con, form):
                raise _refused(name, "timestamps", form, "a strptime format, " + ", ".join(NAMED))
        for column, value in source.constants.items():
            kind = TABLES[source.table][column].kind
            if value is not None and value not in (ROW, NEGATIVE) and not _is_value(con, value, kind):
                raise _refused(name, f"constants.{column}", value, f"a value of the kind {kind}")


def _check_encoding(source: Source) -> None:
    try:
        found = codecs.lookup(source.encoding)
        is_text = found._is_text_encoding and found.name not in NO_FILES
    except (LookupError, ValueError):
        is_text = False
    if not is_text:
        raise Refusal("ENC-UNKNOWN", "the declared encoding is not one of texts", file="params.yaml",
                      found=repr(source.encoding), expected="for instance utf-8, windows-1252 or utf-16")


def _is_format(con: duckdb.DuckDBPyConnection, form: str) -> bool:
    if not re.search("%[A-Za-z-]", form):
        return False
    try:
        engine.first(con, f"SELECT try_strptime('x', {engine.literal(form)})")
    except duckdb.Error:
        return False
    return True


def _is_value(con: duckdb.DuckDBPyConnection, value: object, kind: str) -> bool:
    if isinstance(value, (list, dict)):
        return False
    return engine.first(con, f"SELECT try_cast({engine.literal(value)} AS {TYPES.get(kind, 'VARCHAR')})")[0] is not None


def _refused(name: str, key: str, value: object, expected: str) -> Refusal:
    return Refusal("PARAM-TYPE", f"sources.{name}.{key} cannot be this", file="params.yaml", found=repr(value),
                   expected=expected)
