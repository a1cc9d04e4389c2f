"""params.yaml, typed: every section a frozen dataclass, every unknown or mistyped key a refusal."""

import dataclasses
import difflib
import types
import typing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from pipeline.contracts.presets import with_preset
from pipeline.contracts.refusal import Refusal

KIND_WORDS = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}
Direction = Literal["higher_is_better", "lower_is_better"]


@dataclass(frozen=True)
class Company:
    """Whose data these are. data: invented (the demo company), public (a published set) or own.

    ids: exact takes ids byte for byte; folded (so too where nothing is said) lets case, outer blanks, invisible marks
    and composed accents not matter. One word for all sources, or a customer would not meet himself.
    """

    name: str
    data: Literal["invented", "public", "own"]
    currency: str
    time_zone: str
    as_of: str | None = None  # last day of the data, YYYY-MM-DD; None: the last day seen in the data
    ids: Literal["exact", "folded"] | None = None  # None: folded, and ids that look as if case mattered are refused


@dataclass(frozen=True)
class Privacy:
    """Pseudonyms are HMAC-SHA256 under a key outside the repository; own data may not use the public key.

    key: "public" (invented and published data only) or "file"; key_file is made on first use, mode 600.
    """

    key: Literal["public", "file"]
    key_file: str = "~/.config/vivencia/pseudonym.key"


@dataclass(frozen=True)
class Disclosure:
    """Groups below suppress_below are not shown; below caution_below they carry "not enough data"."""

    suppress_below: int = 10
    caution_below: int = 30


@dataclass(frozen=True)
class Demo:
    """The invented company: size, length, seed and world (see pipeline.demo)."""

    customers: int
    months: int
    first_month: str
    seed: int
    world: str = "base"


@dataclass(frozen=True)
class Instrument:
    """One question of a survey export: its column (wide exports), scale, direction and words.

    words is the closed map from text to value; a text outside map and number format goes to quarantine.
    not_asked: cell texts that say the question was no part of this survey (no row); empty is asked and unanswered.
    """

    minimum: float
    maximum: float
    direction: Direction
    column: str | None = None
    words: dict[str, float] = field(default_factory=dict)
    not_asked: list[str] = field(default_factory=list)
    constants: dict[str, Any] = field(default_factory=dict)  # canonical column: fixed value, e.g. touchpoint


@dataclass(frozen=True)
class Drop:
    """Rows left out on purpose: those whose `column` (header) holds one of `values`; counted under `rule`."""

    rule: str
    column: str
    values: list[str]


@dataclass(frozen=True)
class Database:
    """Where the export comes from when it is a query's result: `python -m pipeline.ingest fetch` asks, read-only.

    password_env names the environment variable that holds the password; it is written nowhere else.
    """

    kind: Literal["postgresql", "sqlite"]
    query: str  # one SELECT; its columns are the headers; ORDER BY its key, so that the same rows are the same file
    file: str | None = None  # of SQLite
    host: str | None = None  # of PostgreSQL, as all below
    port: int = 5432
    name: str | None = None
    user: str | None = None
    password_env: str | None = None
    ssl: Literal["disable", "prefer", "require", "verify-ca", "verify-full"] = "prefer"


@dataclass(frozen=True)
class Source:
    """One export: where it lies, how it is written, and which header feeds which canonical column.

    columns: canonical name -> header. constants: canonical name -> fixed value. words: canonical name ->
    closed map. extra: own name -> header, kept as text or number under x_<name>
    (judged on the page of churn as possible predictors; no model uses them).
    In JSON a header is a key, or the dotted path of a value inside an object (requester.id).
    timestamps: strptime formats tried in order, or "epoch_s", "epoch_ms", "excel_serial", "iso8601".
    """

    table: str
    folder: str
    files: str
    format: Literal["csv", "xlsx", "parquet", "json"]  # json: one object a line, or one array of objects
    columns: dict[str, str]
    encoding: str = "utf-8"
    delimiter: str = ","
    quote: str = '"'
    sheet: str | None = None
    records: str | None = None  # in JSON: the key (or dotted path) of the list of records inside one object
    header_rows: int = 1  # 0: columns are named by position "1", "2", ...; above 1: the first of them names
    skip_rows: int = 0  # lines above the header
    decimal: Literal[".", ","] | None = None
    thousands: str | None = None
    timestamps: list[str] = field(default_factory=list)
    time_zone: str | None = None
    missing: list[str] = field(default_factory=lambda: [""])
    words: dict[str, dict[str, Any]] = field(default_factory=dict)
    constants: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, str] = field(default_factory=dict)
    instruments: dict[str, Instrument] = field(default_factory=dict)
    drop: list[Drop] = field(default_factory=list)
    latest_by: str | None = None  # canonical timestamp that decides between versions of one key
    fill_down: list[str] = field(default_factory=list)  # headers written on the first line of an order only
    repeats: Literal["keep", "drop"] | None = None  # key "@row": records that stand whole in two files (FILE-OVERLAP)
    per_unit: bool = False  # net_amount and margin are those of one unit: times quantity
    returns: Literal["lines", "status"] | None = None  # a return is a line of its own, or a word on the sold line
    allow_empty: bool = False
    final_newline: bool = False  # the tool ends its last line: an export that does not was cut (FILE-TRUNC)
    late_days: int = 30  # an answer that comes later speaks of something else: warned of (SURVEY-LATE)
    quarantine_limit: float = 0.2  # a larger share of broken rows says that the description is wrong: refused
    database: Database | None = None  # asked by `fetch`, which writes folder/files (one Parquet file)
    preset: str | None = None  # an export tool whose layout fills the keys not given here (pipeline.contracts.presets)


@dataclass(frozen=True)
class Link:
    """How sources meet. customer: who counts as one customer, a contact or the account (company) behind it.

    Of the rows of a table, a larger share of unknown customers than orphan_warning_share is warned about, a larger one
    than most_orphans is refused; None: never.
    """

    orphan_warning_share: float = 0.2
    most_orphans: float | None = None
    customer: Literal["contact", "account"] = "contact"
    stale_days: int = 31  # an export that ends so long before the data do is warned of (SET-STALE)
    contractual: bool | None = None  # None: contractual when customers carry ended_at or is_churned


@dataclass(frozen=True)
class Coverage:
    """Notebook 01: which customer columns the coverage is broken down by."""

    dimensions: list[str]


@dataclass(frozen=True)
class Calendar:
    """When somebody works on tickets: by the clock on the wall, weekdays (0 is Monday), country of the holidays."""

    hours: str  # "09:00-18:00", in the company's time zone; until 24:00
    weekdays: list[int]
    country: str | None = None  # ISO 3166, with the region where it has its own: ES, ES-MD; None: no holidays


@dataclass(frozen=True)
class Experience:
    """Notebook 02. window_months: length of the headline period; the one before it is the comparison."""

    window_months: int
    dimensions: list[str]
    top_box: dict[str, float]  # instrument: lowest answer that counts as satisfied
    labels: dict[str, list[float]]  # instrument: [highest negative, lowest positive], after direction
    false_discovery_rate: float = 0.10
    response_covariates: list[str] = field(default_factory=lambda: [
        "segment", "value_band", "branch", "had_ticket", "purchases"])  # what may explain who answers
    calendar: Calendar | None = None  # None: times by the clock only
    index_weights: dict[str, float] = field(default_factory=lambda: {"direct": 0.5, "indirect": 0.5})


@dataclass(frozen=True)
class Sales:
    """Notebook 03. max_score_age_months: 1 uses only answers given in the month before the sales.

    groups: highest detractor and lowest promoter on the instrument's scale, higher being better.
    break_even_months: how long a converted customer is counted on for the break-even cost.
    smallest_effect: percent of sales per point that matters; the checks of what comes first must be able to show it.
    """

    instrument: str
    max_score_age_months: int
    covariates: list[str]
    groups: list[float] = field(default_factory=lambda: [6.0, 9.0])
    break_even_months: int = 12
    smallest_effect: float = 5.0


@dataclass(frozen=True)
class Churn:
    """Notebook 04. inactivity_days: silence, after a month ends, that counts as churn without a contract.

    target_segments: whose churn is shown one by one; none named: all segments of the data.
    groups: highest detractor and lowest promoter, as in `sales`. risk_months: how far revenue at risk looks ahead.
    smallest_effect: percent of the risk of leaving per point that matters (a ratio of 1.05 or 1 / 1.05 at 5): "nothing
    here" is said only where it could have been shown.
    """

    instrument: str
    max_score_age_months: int
    inactivity_days: int
    covariates: list[str]
    target_segments: list[str] = field(default_factory=list)
    groups: list[float] = field(default_factory=lambda: [6.0, 9.0])
    risk_months: int = 12
    smallest_effect: float = 5.0


@dataclass(frozen=True)
class Notebook:
    """Which section of params feeds a notebook, and how long it may run."""

    section: str
    timeout_seconds: int = 600


@dataclass(frozen=True)
class Report:
    """language of the pages. A source with fewer rows than 1 - drift_share of those of the last pages stops them
    (SET-DRIFT) unless accept_drift names it; the invented company may change its size."""

    language: Literal["es", "en"]
    drift_share: float = 0.3
    accept_drift: list[str] = field(default_factory=list)
    messages: Literal["es", "en"] = "en"  # language of refusals and of --help


@dataclass(frozen=True)
class Params:
    company: Company
    privacy: Privacy
    disclosure: Disclosure
    demo: Demo
    sources: dict[str, Source]
    link: Link
    coverage: Coverage
    experience: Experience
    sales: Sales
    churn: Churn
    notebooks: dict[str, Notebook]
    report: Report


def load_params(path: Path = Path("params.yaml"), are_scales_checked: bool = True) -> Params:
    """params.yaml as Params; Refusal (PARAM-*) names the key, what was found and what was expected.

    are_scales_checked: false leaves `check_scales` to the caller, source by source.
    """
    if not path.is_file():
        raise Refusal("PARAM-FILE", "there is no params file here", file=str(path))
    try:
        raw = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Refusal("PARAM-FILE", "the params file cannot be read", file=path.name, found=error.strerror) from None
    except (YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "not readable as YAML in UTF-8"
        raise Refusal("PARAM-YAML", problem, file=path.name, line=mark.line + 1 if mark else None) from None
    if isinstance(raw, dict) and isinstance(raw.get("sources"), dict):
        filled = {name: with_preset(own, f"sources.{name}", path.name) for name, own in raw["sources"].items()}
        raw = {**raw, "sources": filled}
    params = _typed(Params, raw, "", path.name)
    if are_scales_checked:
        check_scales(params, path.name, list(params.sources))
    return params


def check_scales(params: Params, file: str, sources: list[str]) -> None:
    """Refusal PARAM-SCALE when a cut (top box, label, group) lies outside the scale that a source declares for it.

    A cut of a 1-7 scale on answers of 1 to 5 would print a satisfaction of 0 % without a sign. PARAM-SCALES when two
    sources ask a question of one name on different scales: answers of both would be counted as answers to one.
    """
    for source in sources:
        _one_scale_each(params, source, file)
    cuts = [(f"experience.top_box.{name}", name, [cut]) for name, cut in params.experience.top_box.items()]
    cuts += [(f"experience.labels.{name}", name, pair) for name, pair in params.experience.labels.items()]
    cuts += [("sales.groups", params.sales.instrument, params.sales.groups),
             ("churn.groups", params.churn.instrument, params.churn.groups)]
    for source in sources:
        described = params.sources[source]
        for where, name, values in cuts:
            scale = described.instruments.get(name)
            for value in values if scale else []:
                if not scale.minimum <= value <= scale.maximum or (len(values) == 1 and value == scale.minimum):
                    sentence = f"{where} does not fit the scale that sources.{source} declares for {name}"
                    raise Refusal("PARAM-SCALE", sentence, file=file, found=f"{value:g}",
                                  expected=f"a cut on the scale from {scale.minimum:g} to {scale.maximum:g}")


def _one_scale_each(params: Params, source: str, file: str) -> None:
    order = list(params.sources)
    for other in order:
        for name, scale in params.sources[source].instruments.items():
            same = params.sources[other].instruments.get(name, scale)
            if (same.minimum, same.maximum) != (scale.minimum, scale.maximum):
                pair = sorted([(source, scale), (other, same)], key=lambda one: order.index(one[0]))
                found = " and ".join(f"{one.minimum:g} to {one.maximum:g} in {where}" for where, one in pair)
                apart = f"sources.{pair[1][0]}.instruments.{name}_{pair[1][1].maximum:g}"
                raise Refusal("PARAM-SCALES", f"two sources ask {name!r} on different scales, which are never pooled",
                              file=file, found=found,
                              expected=f"another name in one of them, such as {apart}, with cuts of its own")


def typed_source(raw: dict[str, Any], where: str = "source", file: str = "params.yaml") -> Source:
    """One source of params.yaml, as load_params takes it: preset filled in, every key checked."""
    return _typed(Source, with_preset(raw, where, file), where, file)


def section(params: Params, name: str) -> dict[str, Any]:
    """One section as a plain dict, as a notebook receives it."""
    return dataclasses.asdict(getattr(params, name))


def _typed(kind: Any, value: Any, where: str, file: str) -> Any:
    """The value as `kind`; recursion over dataclasses, lists, dicts, unions and literals."""
    if dataclasses.is_dataclass(kind):
        return _typed_dataclass(kind, value, where, file)
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin is Literal:
        if value in args and not isinstance(value, bool):
            return value
        raise _mistyped(where, value, " or ".join(map(repr, args)), file)
    if origin in (typing.Union, types.UnionType):
        if value is None and type(None) in args:
            return None
        inner = [arg for arg in args if arg is not type(None)]
        return _typed(inner[0], value, where, file)
    if origin is list:
        if not isinstance(value, list):
            raise _mistyped(where, value, "a list", file)
        return [_typed(args[0], item, f"{where}[{i}]", file) for i, item in enumerate(value)]
    if origin is dict:
        if not isinstance(value, dict):
            raise _mistyped(where, value, "a mapping", file)
        for key in value:
            if not isinstance(key, str):
                raise _mistyped(f"{where}.{key}", key, "a quoted text as key", file)
        return {key: _typed(args[1], item, f"{where}.{key}", file) for key, item in value.items()}
    if kind is Any:
        return value
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, kind) and (kind is bool or not isinstance(value, bool)):
        return value
    raise _mistyped(where, value, KIND_WORDS[kind], file)


def _typed_dataclass(kind: Any, value: Any, where: str, file: str) -> Any:
    if not isinstance(value, dict):
        raise _mistyped(where, value, "a mapping", file)
    hints = typing.get_type_hints(kind)
    known = {f.name: f for f in dataclasses.fields(kind)}
    for key in value:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, 1)
            expected = f"{near[0]!r}" if near else "one of " + ", ".join(known)
            raise Refusal("PARAM-UNKNOWN", f"{_dot(where, key)} is not a parameter", file=file,
                          found=repr(key), expected=expected)
    for name, spec in known.items():
        optional = spec.default is not dataclasses.MISSING or spec.default_factory is not dataclasses.MISSING
        if name not in value and not optional:
            raise Refusal("PARAM-MISSING", f"{_dot(where, name)} must be given", file=file,
                          expected=_kind_words(hints[name]))
    return kind(**{key: _typed(hints[key], item, _dot(where, key), file) for key, item in value.items()})


def _kind_words(kind: Any) -> str:
    """What a value must be, in words."""
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin is Literal:
        return " or ".join(map(repr, args))
    if origin in (typing.Union, types.UnionType):
        return _kind_words(next(arg for arg in args if arg is not type(None)))
    if dataclasses.is_dataclass(kind) or origin is dict or kind is dict:
        return "a mapping"
    return "a list" if origin is list else KIND_WORDS.get(kind, "a value")


def _dot(where: str, key: Any) -> str:
    return f"{where}.{key}" if where else str(key)


def _mistyped(where: str, value: Any, expected: str, file: str) -> Refusal:
    return Refusal("PARAM-TYPE", f"{where or 'the file'} has the wrong kind of value", file=file,
                   found=repr(value), expected=expected)
