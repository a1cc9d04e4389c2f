"""Stage: one source from data/raw to data/clean and data/quarantine, with its account."""

import shutil
import tempfile
from pathlib import Path

from pipeline.contracts.params import load_params
from pipeline.contracts.refusal import Refusal
from pipeline.ingest.clean import clean_source
from pipeline.stages import replace_with, run, write_json


def main(argv: list[str]) -> None:
    params = load_params()
    if len(argv) != 1 or argv[0] not in params.sources:
        raise Refusal("PARAM-UNKNOWN", "say which source of params.yaml to ingest", found=" ".join(argv) or "none",
                      expected=", ".join(params.sources))
    name = argv[0]
    with tempfile.TemporaryDirectory(prefix="vivencia-") as folder:
        cleaned = clean_source(name, params.sources[name], params.company, params.privacy, Path(folder))
        for made, place in ((cleaned.clean, "clean"), (cleaned.quarantine, "quarantine")):
            replace_with(Path("data") / place / f"{name}.parquet", lambda part, made=made: shutil.copyfile(made, part))
    write_json(cleaned.account.as_json(), Path("data/clean") / f"{name}.account.json")
    print(cleaned.account.line())


if __name__ == "__main__":
    run(main)
