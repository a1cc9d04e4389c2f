"""Stage: one source from data/raw to data/clean and data/quarantine, with its account."""

import shutil
import tempfile
from pathlib import Path

import pyarrow.parquet as pq

from pipeline.contracts.params import load_params
from pipeline.contracts.progress import GAP_SECONDS, progress
from pipeline.contracts.refusal import Refusal
from pipeline.contracts.spoken import language, phrased
from pipeline.ingest.clean import clean_source
from pipeline.ingest.share import check_share, dropped_line, unknown_texts
from pipeline.stages import PRIVATE, replace_with, run, write_json


def main(argv: list[str]) -> None:
    params = load_params()
    if len(argv) != 1 or argv[0] not in params.sources:
        raise Refusal("PARAM-UNKNOWN", "say which source of params.yaml to ingest", found=" ".join(argv) or "none",
                      expected=", ".join(params.sources))
    name, source, tongue = argv[0], params.sources[argv[0]], language()
    quarantine = Path("data/quarantine") / f"{name}.parquet"
    with tempfile.TemporaryDirectory(prefix="vivencia-") as folder:
        cleaned = clean_source(name, source, params.company, params.privacy, Path(folder),
                               others=list(params.sources.values()), say=progress(name, gap=GAP_SECONDS, tongue=tongue))
        broken = unknown_texts(pq.read_table(cleaned.quarantine, columns=["rule", "found"]))
        try:
            check_share(cleaned.account, source.quarantine_limit, broken)
        except Refusal:  # what broke the description is there to be looked at; what was clean before stays
            replace_with(quarantine, lambda part: shutil.copyfile(cleaned.quarantine, part), PRIVATE)
            raise
        for made, path in ((cleaned.clean, Path("data/clean") / f"{name}.parquet"), (cleaned.quarantine, quarantine)):
            replace_with(path, lambda part, made=made: shutil.copyfile(made, part), PRIVATE)
    write_json(cleaned.account.as_json(), Path("data/clean") / f"{name}.account.json")
    print(phrased(cleaned.account.line(), tongue))
    print(f"{name}: {phrased(cleaned.account.unread_line(), tongue)}") if cleaned.account.unread else None
    for sentence in (*cleaned.account.odd, *filter(None, [dropped_line(cleaned.account)])):
        print(f"{name}: {phrased(sentence, tongue)}")
    if broken:
        often = f"{name}: most often refused: {broken}; every such row is in data/quarantine/{name}.parquet"
        print(phrased(often, tongue))


if __name__ == "__main__":
    run(main)
