"""python -m pipeline.ingest inspect FILE… | check [SOURCE…] | fetch [SOURCE…]: exports before they are ingested."""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from pipeline.contracts.params import load_params
from pipeline.contracts.refusal import Refusal


def main(words: list[str]) -> int:
    """Exit code: 0, or 2 when anything was refused; one file or source that is refused does not stop the others."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.ingest",
                                     description="Look at exports, or fetch them from a database.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    look = verbs.add_parser("inspect", help="say what a file is and print a block for params.yaml")
    look.add_argument("files", nargs="+", metavar="FILE",
                      help="an export: text with delimiters, JSON (.json, .jsonl, .ndjson), .xlsx or .parquet")
    rehearse = verbs.add_parser("check", help="hold the exports against their contracts in params.yaml")
    rehearse.add_argument("sources", nargs="*", metavar="SOURCE", help="names under sources (default: all)")
    rehearse.add_argument("--params", default="params.yaml", metavar="FILE", help="the params file (params.yaml)")
    ask = verbs.add_parser("fetch", help="ask the databases that sources declare and keep each result as an export")
    ask.add_argument("sources", nargs="*", metavar="SOURCE", help="names under sources (default: all with a database)")
    ask.add_argument("--params", default="params.yaml", metavar="FILE", help="the params file (params.yaml)")
    given = parser.parse_args(words)
    if given.verb == "inspect":
        from pipeline.ingest.together import report_all

        return _inspect(given.files, report_all)
    if given.verb == "fetch":
        from pipeline.ingest.fetch import fetch, fetchable, told

        asked = load_params(Path(given.params))
        return _each(fetchable(given.sources, asked), lambda name: told(name, fetch(asked.sources[name], name)))
    from pipeline.ingest.check import check_source, chosen

    params = load_params(Path(given.params))
    refused = _each(chosen(given.sources, params), lambda name: check_source(name, params))
    print("This was a rehearsal: nothing was written.")
    return refused


def _inspect(names: list[str], report_all: Callable) -> int:
    codes = []
    report_all(names, lambda name, make: codes.append(_each([name], lambda _: make(), is_first=not codes)))
    return max(codes, default=0)


def _each(names: list[str], text_of: Callable[[str], str], is_first: bool = True) -> int:
    """Print each text; a refusal goes to stderr as one sentence."""
    code = 0
    for number, name in enumerate(names):
        print(end="\n" if number or not is_first else "")
        try:
            print(text_of(name), flush=True)
        except Refusal as refusal:
            code = 2
            print(f"{name}: refused: {refusal}", file=sys.stderr, flush=True)
    return code


def entry() -> None:
    """main behind the last wall: whoever calls it reads sentences, never a traceback."""
    try:
        sys.exit(main(sys.argv[1:]))
    except Refusal as refusal:
        print(f"{refusal}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("Stopped; nothing was written.", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:  # the reader of the output went away
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:
        if os.environ.get("VIVENCIA_DEBUG"):
            raise
        print(f"Vivencia stopped on an unexpected {type(error).__name__}: a defect of Vivencia, not of your files; "
              "VIVENCIA_DEBUG=1 shows the whole trace.", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    entry()
