"""python -m pipeline.ingest inspect FILE… | check [SOURCE…] | fetch [SOURCE…]: exports before they are ingested."""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from pipeline.contracts.leave import leave
from pipeline.contracts.params import check_scales, load_params
from pipeline.contracts.progress import GAP_SECONDS, progress
from pipeline.contracts.refusal import Refusal
from pipeline.contracts.spoken import language, phrased, said, told
from pipeline.contracts.tables import TABLES


def main(words: list[str]) -> int:
    """Exit code: 0, or 2 when anything was refused; one file or source that is refused does not stop the others."""
    tongue = language(_params_among(words))
    argparse._ = lambda text: phrased(text, tongue)  # its own messages, which it takes from gettext
    given = _parser(tongue).parse_args(words)
    if given.verb == "inspect":
        from pipeline.ingest.together import report_all

        codes: list[int] = []
        report_all(given.files, lambda name, make: codes.append(_each([name], lambda _: make(), tongue, not codes)),
                   given.table, tongue)
        return max(codes, default=0)
    params = load_params(Path(given.params), given.verb != "check")
    if given.verb == "fetch":
        from pipeline.ingest.fetch import fetch, fetchable, line_of

        return _each(fetchable(given.sources, params),
                     lambda name: phrased(line_of(name, fetch(params.sources[name], name)), tongue), tongue)
    from pipeline.ingest.check import check_source, chosen, open_questions

    def rehearse(name: str) -> str:
        check_scales(params, Path(given.params).name, [name])
        text, refusal = check_source(name, params, say=progress(name, gap=GAP_SECONDS, tongue=tongue), tongue=tongue)
        if refusal:
            print(text, flush=True)
            raise refusal
        return text

    refused = _each(chosen(given.sources, params), rehearse, tongue)
    asked = open_questions(Path(given.params).read_text(encoding="utf-8", errors="replace"))
    if asked:
        print(said("Still asked behind #, to be answered or taken out:", tongue))
    for line, question in asked:
        print(f"  {Path(given.params).name}:{line}: {question}")
    print(said("This was a rehearsal: nothing was written.", tongue))
    return refused


def _parser(tongue: str) -> argparse.ArgumentParser:
    """The command line, its help in the language."""
    def spoken(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
        parser.add_argument("-h", "--help", action="help", help=said("show this help and exit", tongue))
        parser._positionals.title, parser._optionals.title = said("arguments", tongue), said("options", tongue)
        return parser

    parser = spoken(argparse.ArgumentParser(
        prog="python -m pipeline.ingest", add_help=False,
        description=said("Look at exports, or fetch them from a database.", tongue)))
    verbs = parser.add_subparsers(dest="verb", required=True, metavar=said("verb", tongue) + " {inspect,check,fetch}")
    texts = {"inspect": "say what a file is and print a block for params.yaml",
             "check": "hold the exports against their contracts in params.yaml",
             "fetch": "ask the databases that sources declare and keep each result as an export"}
    for verb, text in texts.items():
        one = spoken(verbs.add_parser(verb, help=said(text, tongue), description=said(text, tongue), add_help=False))
        if verb == "inspect":
            kinds = "an export: text with delimiters, JSON (.json, .jsonl, .ndjson), .xlsx or .parquet"
            one.add_argument("files", nargs="+", metavar=said("FILE", tongue), help=said(kinds, tongue))
            one.add_argument("--table", choices=list(TABLES), metavar=said("TABLE", tongue),
                             help=said("the canonical table of these files, where it cannot be told from them", tongue)
                             + ": " + ", ".join(TABLES))
            continue
        names = "names under sources (default: all" + (" with a database)" if verb == "fetch" else ")")
        one.add_argument("sources", nargs="*", metavar=said("SOURCE", tongue), help=said(names, tongue))
        one.add_argument("--params", default="params.yaml", metavar=said("FILE", tongue),
                         help=said("the params file (params.yaml)", tongue))
    return parser


def _params_among(words: list[str]) -> Path:
    """The params file of a command line that is not parsed yet."""
    at = words.index("--params") + 1 if "--params" in words else len(words)
    return Path(words[at] if at < len(words) else "params.yaml")


def _each(names: list[str], text_of: Callable[[str], str], tongue: str, is_first: bool = True) -> int:
    """Print each text; a refusal, and a defect, goes to stderr as one sentence."""
    code, defect = 0, None
    for number, name in enumerate(names):
        print(end="\n" if number or not is_first else "")
        try:
            print(text_of(name), flush=True)
        except Refusal as refusal:
            code = 2
            print(f"{name}: {said('refused', tongue)}: {told(refusal, tongue)}", file=sys.stderr, flush=True)
        except BrokenPipeError:  # nobody reads any more
            raise
        except Exception as error:  # the sources behind it are looked at all the same
            defect = error
            print(f"{name}: {_defect(error, tongue)}", file=sys.stderr, flush=True)
    if defect and os.environ.get("VIVENCIA_DEBUG"):
        raise defect
    return 1 if defect else code


def _defect(error: Exception, tongue: str) -> str:
    words = ("Vivencia stopped on an unexpected {kind}: a defect of Vivencia, not of your files; "
             "VIVENCIA_DEBUG=1 shows the whole trace.")
    return said(words, tongue).format(kind=type(error).__name__)


def entry() -> None:
    """main behind the last wall: whoever calls it reads sentences, never a traceback."""
    tongue = language(_params_among(sys.argv[1:]))
    try:
        leave(main(sys.argv[1:]))
    except Refusal as refusal:
        print(told(refusal, tongue), file=sys.stderr)
        leave(2)
    except KeyboardInterrupt:
        print(said("Stopped; nothing was written.", tongue), file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:  # the reader of the output went away
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        leave(0)
    except Exception as error:
        if os.environ.get("VIVENCIA_DEBUG"):
            raise
        print(_defect(error, tongue), file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    entry()
