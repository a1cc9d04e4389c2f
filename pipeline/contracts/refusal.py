"""The one way to say no: a refusal carries its facts, and reads as one sentence."""


class Refusal(Exception):
    """Input that breaks its contract; `str()` is the sentence a user reads, and the stage exits with 2.

    rule is the id of the broken rule (for instance COL-MISSING). file, line, column, found and expected are
    given wherever they exist; `found` never carries personal data (ids and comments are masked by the caller).
    """

    def __init__(self, rule: str, sentence: str, *, file: str | None = None, line: int | None = None,
                 column: str | None = None, found: str | None = None, expected: str | None = None):
        self.rule, self.sentence = rule, sentence.rstrip(".")
        self.file, self.line, self.column, self.found, self.expected = file, line, column, found, expected
        super().__init__(str(self))

    def __str__(self) -> str:
        place = [self.file] if self.file else []
        place += [f"line {self.line}"] if self.line is not None else []
        place += [f"column {self.column!r}"] if self.column else []
        facts = [f"found {self.found}"] if self.found is not None else []
        facts += [f"expected {self.expected}"] if self.expected is not None else []
        head = ", ".join(place) + ": " if place else ""
        tail = "; " + ", ".join(facts) if facts else ""
        return f"{head}{self.sentence}{tail} [{self.rule}]."
