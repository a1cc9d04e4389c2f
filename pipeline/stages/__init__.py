"""The thin entry points that dvc.yaml calls: read, call, check, write. `run` is the one way in."""

import json
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.contracts.leave import leave
from pipeline.contracts.refusal import Refusal
from pipeline.contracts.spoken import language, said, told

# Whatever results may depend on is fixed before Python starts; MPLCONFIGDIR is left to the user.
FIXED_ENVIRONMENT = {
    "PYTHONHASHSEED": "0", "TZ": "UTC", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1", "SOURCE_DATE_EPOCH": "0", "PYTHONUTF8": "1", "LC_ALL": "C.UTF-8",
}

PRIVATE = 0o600  # files that hold rows of people, under pseudonyms or as they came


def run(main: Callable[[list[str]], None]) -> None:
    """Run a stage in the fixed environment; a refusal exits 2 with one sentence, a defect 1 with one sentence."""
    if any(os.environ.get(name) != value for name, value in FIXED_ENVIRONMENT.items()):
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], os.environ | FIXED_ENVIRONMENT)
    try:
        main(sys.argv[1:])
    except Refusal as refusal:
        print(told(refusal, language()), file=sys.stderr)
        leave(2)
    except KeyboardInterrupt:
        print(said("Stopped; nothing half-written is left behind.", language()), file=sys.stderr)
        sys.exit(130)
    except Exception as error:  # the last wall: a user reads a sentence, a developer may ask for the trace
        if os.environ.get("VIVENCIA_DEBUG"):
            raise
        frame = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(frame.filename).name}, line {frame.lineno}"
        print(f"Vivencia stopped on an unexpected {type(error).__name__} in {place}: a defect of Vivencia, not of your "
              "files; VIVENCIA_DEBUG=1 shows the whole trace.", file=sys.stderr)
        sys.exit(1)


def replace_with(path: Path, write: Callable[[Path], Any], mode: int = 0o666) -> None:
    """Call `write` on a temporary file beside `path`, sync it to disk and put it in place in one step.

    mode: of the file, less what the user's mask takes; 0o600 for what holds rows, whose folder is closed to others too.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if mode == PRIVATE:
        os.chmod(path.parent, 0o700)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        write(temporary)
        if mode == PRIVATE:
            os.chmod(temporary, mode)
        with open(temporary, "rb+") as handle:
            os.fsync(handle.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(value: Any, path: Path) -> None:
    """The value as indented JSON, in one step."""
    text = json.dumps(value, ensure_ascii=False, indent=1) + "\n"
    replace_with(path, lambda part: part.write_text(text, encoding="utf-8"))
