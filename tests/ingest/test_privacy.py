"""Pseudonyms, keys, redaction: nothing that names a person leaves ingest."""

import hashlib
import hmac
import json
import stat
import unicodedata

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contracts.params import Company, Privacy
from pipeline.contracts.refusal import Refusal
from pipeline.ingest.privacy import PUBLIC_KEY, count_variants, load_key
from pipeline.ingest.pseudonyms import Pseudonyms
from pipeline.ingest.redact import is_card, is_iban, is_identity, redact
from tests.ingest.conftest import CUSTOMER, SURVEY, Workshop

OWN = Company("Own", "own", "EUR", "UTC")


def expected(identity: str, key: bytes = PUBLIC_KEY) -> str:
    """RFC 2104 by Python's hmac, on the id without blanks, in one case and one Unicode form."""
    normal = unicodedata.normalize("NFC", identity.strip().lower())
    return hmac.new(key, normal.encode(), hashlib.sha256).hexdigest()[:32]


def test_a_pseudonym_is_the_keyed_hash_of_the_normalised_id(shop: Workshop):
    ids = ["C-001", "ana@example.com", "00123", "Ñandú"]
    found = shop.ingest("id,segment\n" + "".join(f"{i},a\n" for i in ids), **CUSTOMER)
    assert found.clean["customer_id"].tolist() == [expected(i) for i in ids]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.none() | st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"), max_size=100),
                max_size=20), st.binary(min_size=1, max_size=100), st.integers(0, 20))
def test_pseudonyms_are_those_of_the_standard_library_over_any_number_of_stretches(texts, key, cut):
    texts = [one for one in texts for _ in range(2)]  # as the lines of one order
    pseudonyms = Pseudonyms(key)
    found = [*pseudonyms.of(pa.array(texts[:cut], pa.string())).to_pylist(),
             *pseudonyms.of(pa.array([*texts[cut:], *texts], pa.string()).slice(0)).to_pylist()]
    assert found == [None if x is None else hmac.new(key, x.encode(), "sha256").hexdigest()[:32]
                     for x in [*texts, *texts]]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(st.sampled_from("aAbBñ n\u0303ſ"), min_size=1, max_size=4), max_size=30))
def test_ids_written_otherwise_than_most_are_counted(ids):
    """Against counting in Python: untidy ones, and of the tidy ones of one normal form all that are not the usual."""
    normal = {one: unicodedata.normalize("NFC", one.strip()).lower() for one in ids}
    untidy = [one for one in ids if unicodedata.normalize("NFC", one.strip()) != one]
    usual = {form: max((ids.count(one), one.encode()) for one in ids if normal[one] == form)[1]
             for form in normal.values()}
    other = [one for one in ids if one not in untidy and usual[normal[one]] != one.encode()]
    with duckdb.connect() as con:
        con.execute("CREATE TABLE kept (id VARCHAR)")
        con.executemany("INSERT INTO kept VALUES (?)", [[one] for one in ids]) if ids else None
        assert count_variants(con, "kept", "id") == len(untidy) + len(other)


def test_variants_of_one_id_meet_and_are_counted(shop: Workshop):
    variants = ["Ana@x.es", "ana@x.es ", "ANA@X.ES", "ana@x.es", "a\u200bna@x.es", "ana@x.es"]
    rows = "".join(f"{n},9,{who}\n" for n, who in enumerate(variants)) + "7,9,Jose\u0301\n8,9,José\n"
    found = shop.ingest("id,nps,who\n" + rows, **SURVEY | {"columns": {"response_id": "id", "customer_id": "who"}})
    assert found.clean["customer_id"].nunique() == 2
    assert found.rules["KEY-NORM:repaired"] == 5  # of ana four unlike the usual form, of José one


def test_ids_that_differ_stay_apart_byte_for_byte(shop: Workshop):
    ids = [f"{prefix}{n}" for n in range(500) for prefix in ("0", "00", "K-", "K_")]
    found = shop.ingest("id,segment\n" + "".join(f"{i},a\n" for i in ids), **CUSTOMER)
    assert found.clean["customer_id"].nunique() == len(ids)


def test_own_data_need_a_key_of_their_own(shop: Workshop, tmp_path):
    with pytest.raises(Refusal, match="PRIV-KEY"):
        shop.ingest("id,segment\n1,a\n", company=OWN, **CUSTOMER)
    path = tmp_path / "keys" / "pseudonym.key"
    private = Privacy("file", str(path))
    first = shop.ingest("id,segment\n1,a\n", company=OWN, privacy=private, **CUSTOMER)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert first.clean["customer_id"].tolist() == [expected("1", bytes.fromhex(path.read_text().strip()))]
    again = shop.ingest("id,segment\n1,a\n", company=OWN, privacy=private, **CUSTOMER)
    assert again.clean["customer_id"].tolist() == first.clean["customer_id"].tolist()
    assert again.account.key_id == first.account.key_id and len(again.account.key_id) == 12
    path.chmod(0o644)
    with pytest.raises(Refusal, match="PRIV-KEY"):
        load_key(private, OWN)


def test_the_key_may_not_lie_in_the_project_folder(tmp_path):
    with pytest.raises(Refusal, match="outside the project folder"):
        load_key(Privacy("file", str(tmp_path / "secret" / "k")), OWN, workspace=tmp_path)


def test_a_company_is_invented_only_where_the_demo_made_its_files(shop: Workshop):
    invented = Company("Invented", "invented", "EUR", "UTC")
    with pytest.raises(Refusal, match="DATA-KIND"):
        shop.ingest("id,segment\n1,a\n", company=invented, **CUSTOMER)
    sha = hashlib.sha256(b"id,segment\n1,a\n").hexdigest()
    (shop.folder / "raw" / "demo").mkdir()
    manifest = shop.folder / "raw" / "demo" / "manifest.json"
    manifest.write_text(json.dumps({"files": {"customers/a.csv": sha}}))
    found = shop.ingest("id,segment\n1,a\n", company=invented, **CUSTOMER)
    assert found.account.made_by_demo
    with pytest.raises(Refusal, match="DATA-KIND"):
        shop.ingest("id,segment\n2,a\n", company=invented, **CUSTOMER)
    other = shop.write("untouched", "other.csv")
    unchanged = hashlib.sha256(b"untouched").hexdigest()
    manifest.write_text(json.dumps({"files": {"export.csv": sha, "other.csv": unchanged}}))
    edited = shop.ingest("id,segment\n2,a\n", company=invented, **CUSTOMER)
    assert edited.account.made_by_demo  # one file of the demo edited by hand, another as the demo left it
    other.write_text("touched")
    with pytest.raises(Refusal, match="DATA-KIND"):
        shop.ingest("id,segment\n2,a\n", company=invented, **CUSTOMER)


@pytest.mark.parametrize(("text", "redacted"), [
    ("write to ana.garcia+x@mail.example.com now", "write to [e-mail] now"),
    ("llámame al 612 34 56 78 por favor", "llámame al [phone] por favor"),
    ("+34 612345678", "[phone]"), ("call 0044 20 7946 0958", "call [phone]"), ("(555) 123-4567", "[phone]"),
    ("mi cuenta ES91 2100 0418 4502 0005 1332", "mi cuenta [iban]"),
    ("tarjeta 4111 1111 1111 1111 rechazada", "tarjeta [card] rechazada"),
    ("DNI 12345678Z", "DNI [identity]"), ("NIE X1234567L", "NIE [identity]"),
    ("see https://example.com/a?b=c", "see [link]"), ("www.example.org", "[link]"),
    ("@ana_g no contesta", "[handle] no contesta"),
    ("Soy María López y quiero", "Soy [name] y quiero"), ("me llamo ana y espero", "me llamo [name] y espero"),
    ("My name is John Smith.", "My name is [name]."),
    ("Un saludo, Pedro", "Un saludo, [name]"),
    *((same, same) for same in (
        "soy cliente desde 2019", "pedido 12345 del 03/04/2025", "costó 1.234,56 € por 2 unidades",
        "10 de 10, perfecto", "pedido 41000012", "ref 4111 1111 1111 1112")),
])
def test_personal_data_in_comments_are_blacked_out_and_nothing_else(text: str, redacted: str):
    assert redact(text) == redacted


def test_check_digits():
    """IBAN of the Spanish standard's example, the card networks' test number, the identity number of every example."""
    assert is_iban("ES91 2100 0418 4502 0005 1332") and not is_iban("ES91 2100 0418 4502 0005 1333")
    assert is_card("4111 1111 1111 1111") and not is_card("4111111111111112") and not is_card("0000000000000000")
    assert is_identity("12345678Z") and not is_identity("12345678A") and is_identity("X1234567L")


def test_redaction_is_counted_and_reaches_the_file(shop: Workshop):
    call = '"call 612345678, please"'
    found = shop.ingest(f"id,nps,text\n1,9,{call}\n2,9,fine\n3,9,{call}\n", **SURVEY | {
        "columns": {"response_id": "id", "comment": "text"}})
    assert found.clean["comment"].tolist() == ["call [phone], please", "fine", "call [phone], please"]
    assert found.rules == {"PII-TEXT:repaired": 2}


def test_no_id_and_no_comment_stands_in_what_is_found(shop: Workshop):
    found = shop.ingest("id,nps,who,text\n1,9,anabel@x.es,hi\n2,99,1.5E+17,secret words\n3,98,x,y\n", **SURVEY | {
        "columns": {"response_id": "id", "customer_id": "who", "comment": "text"}})
    assert found.quarantine["found"].tolist() == ["1.…", "98"]
