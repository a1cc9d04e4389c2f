"""Declared covariates that no model uses: which, and why, so that nobody believes them held fixed."""

from collections.abc import Iterable, Mapping

import pandas as pd

from pipeline.contracts.claims import Claim

SAID = "absorbed"  # months, customers or other covariates say the same already
METHODS = {"sales": "ppml", "churn": "cloglog_hazard"}


def left_out_claims(start: str, left_out: Mapping[str, str], columns: Mapping[str, Iterable[str]],
                    coefficients: pd.DataFrame) -> list[Claim]:
    """One claim START.left_out without a figure per declared covariate that the model does not use, with the reason.

    left_out: covariates that have no column (not_in_data, one_level, in_customer_effect). columns: those of the others.
    coefficients: of the fitted model, one row per `name`; without rows there is no model, and nothing to say of it.
    """
    if coefficients.empty:
        return []
    used = set(coefficients["name"])
    why = {**left_out, **{name: SAID for name, own in columns.items() if not used & set(own)}}
    return [Claim(f"{start}.left_out", None, "count", 0, METHODS[start], "associated", "not_estimable",
                  f"covariate:{name}", reason=reason) for name, reason in why.items()]


def of_rows(rows: pd.DataFrame, covariates: Iterable[str],
            numbers: Iterable[str]) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Of the rows of a hazard: covariates that are missing or alike in all of them, and the columns of the others.

    numbers: covariates that enter as they are; others enter as one dummy per value.
    """
    left_out, columns, numbers = {}, {}, set(numbers)
    for name in covariates:
        if name not in rows:
            left_out[name] = "not_in_data"
        elif rows[name].nunique(dropna=False) < 2:
            left_out[name] = "one_level"
        else:
            values = [*rows[name].dropna().unique(), "missing"]
            columns[name] = [name] if name in numbers else [f"{name}_{value}" for value in values]
    return left_out, columns


def of_hazard(rows: pd.DataFrame, covariates: Iterable[str], numbers: Iterable[str],
              coefficients: pd.DataFrame) -> list[Claim]:
    """churn.left_out of a hazard fitted on these rows; numbers: as of_rows. coefficients: churn.coefficients of it."""
    return left_out_claims("churn", *of_rows(rows, covariates, numbers), coefficients)
