"""The invented company's exports into data/raw, only where nothing else lies there."""

import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path

from pipeline.contracts.params import Params, load_params
from pipeline.contracts.refusal import Refusal
from pipeline.demo.company import Company, simulate
from pipeline.demo.exports import write_exports
from pipeline.demo.truth import truth
from pipeline.demo.worlds import WORLDS
from pipeline.stages import run, write_json

RAW = Path("data/raw")
MANIFEST = "demo/manifest.json"
TRUTH = "demo/truth.json"


def main(argv: list[str]) -> None:
    """Write the demo's exports, its truth and its manifest, or leave data/raw exactly as it is and say why."""
    params = load_params()
    RAW.mkdir(parents=True, exist_ok=True)
    own, foreign = files_of_whom(RAW)
    if params.company.data != "invented":
        _check_own_exports(own, foreign, params)
        print(f"demo: nothing made, {len(foreign)} exports of your own lie in {RAW}")
    elif foreign:
        print(f"demo: {RAW} is left exactly as it is, because {foreign[0]!r} was not made by the demo or was changed "
              f"({len(foreign)} such files); the demo writes only where nothing else lies")
    else:
        print(make_demo(params, RAW, own))


def files_of_whom(raw: Path) -> tuple[list[str], list[str]]:
    """Files under `raw` that the demo wrote and nobody changed since, and all others; hidden files count as neither.

    The manifest vouches for a file by its SHA-256, while the demo is writing also by the one it had before.
    """
    manifest = raw / MANIFEST
    try:
        known = json.loads(manifest.read_text(encoding="utf-8"))
        vouched = {path: {known["files"].get(path), *known["before"].get(path, [])}
                   for path in known["files"] | known["before"]}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        vouched = {}
    own, foreign = [], []
    for path in sorted(raw.rglob("*")):
        name = path.relative_to(raw).as_posix()
        if not path.is_file() or any(part.startswith(".") for part in path.relative_to(raw).parts):
            continue
        is_own = digest(path) in vouched.get(name, ()) if name != MANIFEST else bool(vouched)
        (own if is_own else foreign).append(name)
    return own, foreign


def make_demo(params: Params, raw: Path, own: list[str]) -> str:
    """Put the company of `params.demo` into `raw`, remove what an earlier demo left over; the line to print.

    Files are made apart and moved into place one by one; the manifest is written first, and vouches for old and new,
    so that a run broken off is still the demo's own.
    """
    demo = params.demo
    if demo.world not in WORLDS:
        raise Refusal("PARAM-WORLD", "demo.world is not a world there is", file="params.yaml",
                      found=repr(demo.world), expected="one of " + ", ".join(WORLDS))
    company = simulate(demo.customers, demo.months, demo.seed, demo.world, demo.first_month)
    apart = Path(tempfile.mkdtemp(prefix=".demo-", dir=raw.parent))
    try:
        paths, planted, second = write_exports(company, apart)
        write_json(told_truth(company, planted, second), apart / TRUTH)
        files = {name: digest(apart / name) for name in [*paths, TRUTH]}
        before = {name: [digest(raw / name)] for name in own if name != MANIFEST}
        statement = "Every file listed here belongs to an invented company; none of it happened."
        write_json({"invented": True, "statement": statement, "files": files, "before": before}, raw / MANIFEST)
        for name in before.keys() - files.keys():
            (raw / name).unlink()
        for name in files:
            (raw / name).parent.mkdir(parents=True, exist_ok=True)
            os.replace(apart / name, raw / name)
        write_json({"invented": True, "statement": statement, "files": files, "before": {}}, raw / MANIFEST)
    finally:
        shutil.rmtree(apart, ignore_errors=True)
    dirty = sum(entry.rows for entry in planted)
    return (f"demo: an invented company of {demo.customers} customers and {demo.months} months in {len(paths)} "
            f"exports, {dirty} dirty rows planted, {second} second accounts")


def told_truth(company: Company, planted: list, second: int) -> dict:
    """What was planted in the exports: parameters, truth of the world, good rows by table, dirt by kind and file."""
    sales = company.sales
    cents = (sales["net_amount"] * 100).round().astype("int64")
    rows = {name: len(getattr(company, name)) for name in ("surveys", "tickets", "sales", "customers", "actions")}
    return {
        "invented": True,
        "statement": "This company is invented; what follows is what was planted in its exports.",
        "parameters": {"customers": len(company.customers), "months": company.latent.orders.shape[1],
                       "first_month": company.first_month, "seed": company.seed, "world": company.world.name},
        **truth(company.world.name),
        "good_rows": rows | {"survey_records": int(company.surveys["response_id"].nunique())},
        "net_sales": cents.sum() / 100,
        "net_sales_of_known_customers": cents[sales["customer_id"].notna()].sum() / 100,
        "second_accounts": second,
        "dirt": [asdict(entry) for entry in planted],
    }


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _check_own_exports(own: list[str], foreign: list[str], params: Params) -> None:
    """Refuse to go on without exports of one's own (DATA-NONE), or with the invented ones among them (DATA-MIXED)."""
    if own and foreign:
        raise Refusal("DATA-MIXED", f"{RAW} holds the invented company's exports beside yours, and a report would mix "
                      "them; delete those of the demo", found=own[0], expected="own exports only")
    if not foreign:
        raise Refusal("DATA-NONE", f"company.data is {params.company.data!r} and {RAW} holds no exports of yours; put "
                      f"them into the folders that sources in params.yaml name (such as {RAW}/surveys), or set "
                      "company.data to invented for the demo company")


if __name__ == "__main__":
    run(main)
