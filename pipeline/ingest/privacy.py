"""Keyed pseudonyms for ids and blacked-out comments: nothing that names a person leaves ingest."""

import hashlib
import hmac
import json
import os
import re
import secrets
import stat
from pathlib import Path

import duckdb

from pipeline.contracts.params import Company, Privacy
from pipeline.contracts.refusal import Refusal
from pipeline.ingest import engine
from pipeline.ingest.files import Export
from pipeline.ingest.redact import redact

SAMPLE = 2_000  # ids that tell in which case most are written
UPPER, LOWER = "!-`{-~", "!-@[-~"  # what is seen of ASCII, without the letters of the other case
# Known to everyone: pseudonyms under it can be undone by trying ids. For invented and published data only.
PUBLIC_KEY = hashlib.sha256(b"vivencia: public key for invented and published data").digest()
SUSPECT = ("(?i)@|\\d[\\d \u00a0./()-]{5,}\\d|https?:|www\\.|\\b(soy|me llamo|mi nombre es|my name is|i am|i''m|i’m|"
           "this is|firmado|atentamente|saludos?|regards|sincerely)\\b|\\b[a-z0-9-]+\\.(com|es|net|org|eu|io)\\b")


def load_key(privacy: Privacy, company: Company, workspace: Path = Path(".")) -> bytes:
    """The key of the pseudonyms; a key file is made on first use (mode 600), outside the workspace.

    Refusals (PRIV-KEY): own data under the public key, a key inside the workspace, one that others may read.
    """
    if privacy.key == "public":
        if company.data == "own":
            raise Refusal("PRIV-KEY", "a company's own data may not be pseudonymised with the public key",
                          file="params.yaml", found="privacy.key: public", expected="privacy.key: file")
        return PUBLIC_KEY
    path = Path(privacy.key_file).expanduser()
    if path.resolve().is_relative_to(workspace.resolve()):
        raise Refusal("PRIV-KEY", "the key of the pseudonyms must lie outside the project folder", file="params.yaml",
                      found=privacy.key_file, expected="for instance ~/.config/vivencia/pseudonym.key")
    if not path.exists():
        _make_key(path)
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise Refusal("PRIV-KEY", "others may read the key of the pseudonyms", file=str(path),
                      found=oct(stat.S_IMODE(path.stat().st_mode)), expected=f"chmod 600 {path}")
    text = path.read_text(encoding="ascii", errors="replace").strip()
    if not re.fullmatch("[0-9a-f]{64}", text):
        raise Refusal("PRIV-KEY", "the key file does not hold a key", file=str(path), expected="64 hex digits")
    return bytes.fromhex(text)


def _make_key(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return  # another source was first
    with os.fdopen(handle, "w") as file:
        file.write(secrets.token_hex(32) + "\n")


def key_id(key: bytes, is_exact: bool = False) -> str:
    """A name for the key that does not tell it, another one where ids are taken as they stand (company.ids): two
    accounts with one key_id can be joined."""
    return hmac.digest(key, b"key id, exact" if is_exact else b"key id", "sha256").hex()[:12]


def is_made_by_demo(exports: list[Export], company: Company, manifest: Path) -> bool:
    """Whether these files are the demo's; a company called invented may have no others (DATA-KIND).

    A file of the demo that was edited by hand is still the demo's, as long as another one lies there unchanged.
    """
    listed = _listed(manifest)
    made = any(export.sha256 in listed.values() for export in exports)
    raw = manifest.parent.parent
    if not made and all(_place(export, raw) in listed for export in exports):
        others = listed.keys() - {_place(export, raw) for export in exports}
        made = any(_sha256(raw / name) == listed[name] for name in sorted(others) if (raw / name).is_file())
    if company.data == "invented" and not made:
        raise Refusal("DATA-KIND", "these files were not made by the demo, so the company is not an invented one",
                      file=exports[0].name, found="company.data: invented",
                      expected="company.data: own (or public), and privacy.key: file")
    return made


def _listed(manifest: Path) -> dict[str, str]:
    """The demo's files and their sha256, by their place under data/raw; empty without a manifest."""
    if not manifest.exists():
        return {}
    try:
        return dict(json.loads(manifest.read_text(encoding="utf-8"))["files"])
    except (ValueError, KeyError, TypeError):
        raise Refusal("DATA-KIND", "the demo's manifest cannot be read", file=str(manifest)) from None


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _place(export: Export, raw: Path) -> str:
    try:
        return export.path.absolute().relative_to(raw.absolute()).as_posix()
    except ValueError:
        return ""


def count_variants(con: duckdb.DuckDBPyConnection, records: str, column: str, where: str = "TRUE",
                   is_key: bool = False) -> int:
    """How many rows write their id with blanks or invisible marks, or otherwise than most rows do: KEY-NORM where ids
    are folded, KEY-EXACT where they are kept apart as they stand.

    is_key: no two rows share the id, so that none can be written in several ways.
    """
    x = engine.quoted(column)
    chosen = f"FROM {engine.quoted(records)} WHERE {x} IS NOT NULL AND {where}"
    if is_key:
        return engine.first(con, f"SELECT count(*) FILTER ({engine.is_untidy(x)}) {chosen}")[0]
    # Ids in one and the same case have no other spelling but among those that are written otherwise: both are few.
    lower, rows = engine.first(con, f"SELECT count(*) FILTER (x = lower(x)), count(*) FROM (SELECT {x} AS x {chosen} "
                                    f"LIMIT {SAMPLE})")
    case, signs = ("lower", LOWER) if 2 * lower > rows else ("upper", UPPER)
    usual = f"regexp_full_match({x}, '[{signs}]+')"
    con.execute(f"CREATE OR REPLACE TEMP TABLE odd AS SELECT raw, rows, {engine.normal_id('raw')} AS normal "
                f"FROM (SELECT {x} AS raw, count(*) AS rows {chosen} AND NOT {usual} GROUP BY 1)")
    if not engine.first(con, "SELECT count(*) FROM odd")[0]:
        return 0
    return int(engine.first(con, f"""
        WITH regular AS (SELECT {x} AS raw, count(*) AS rows {chosen} AND {x} IN (SELECT {case}(normal) FROM odd)
                         AND {usual} GROUP BY 1),
        forms AS MATERIALIZED (SELECT *, {engine.is_untidy("raw")} AS untidy FROM odd
                               UNION ALL SELECT raw, rows, lower(raw), FALSE FROM regular),
        several AS (SELECT normal FROM forms GROUP BY 1 HAVING count(*) > 1),
        usual AS (SELECT normal, arg_max(raw, (rows, raw)) AS usual FROM forms SEMI JOIN several USING (normal)
                  GROUP BY 1)
        SELECT coalesce((SELECT sum(rows) FROM forms WHERE untidy), 0)
             + coalesce((SELECT sum(rows) FROM forms JOIN usual USING (normal) WHERE NOT untidy AND raw <> usual), 0)
        """)[0])


def find_redactions(con: duckdb.DuckDBPyConnection, records: str, column: str) -> tuple[dict[str, str], int]:
    """Each distinct comment that holds personal data -> the same blacked out, and how many rows hold one (PII-TEXT)."""
    x = engine.quoted(column)
    suspects = con.sql(f"SELECT {x}, count(*) FROM {engine.quoted(records)} WHERE regexp_matches({x}, '{SUSPECT}') "
                       "GROUP BY 1").to_arrow_reader(10_000)
    changed, rows = {}, 0
    for batch in suspects:
        for text, count in zip(batch.column(0).to_pylist(), batch.column(1).to_pylist(), strict=True):
            if (new := redact(text)) != text:
                changed[text] = new
                rows += count
    return changed, rows
