"""Published drivers and staggered actions, by the least squares of this project and sums over them.

The rooms of drivers and of actions will have functions of their own; until then these figures hold the estimator on
which they will stand, and the sets wait here with the sums that each publication defines.
"""

from itertools import combinations
from math import factorial

import numpy as np
import pandas as pd
import pytest

from pipeline.relate.naive import ols_by_customer


def explained(y: np.ndarray, x: np.ndarray) -> float:
    """R² of least squares on the columns of x, by the project's own fit."""
    fit = ols_by_customer(y, np.column_stack([np.ones(len(y)), x]), np.arange(len(y)))
    return float(fit.rsquared)


def test_shares_of_explained_variance_of_groemping(published, reference_folder):
    """LMG (Groemping 2006): what a column adds to R², averaged over all orders in which columns may come."""
    facts, data = published["lmg_swiss"], pd.read_csv(reference_folder / "swiss.csv")
    names, y = facts["order"], data["Fertility"].to_numpy(float)
    r2 = {some: explained(y, data[list(some)].to_numpy(float)) if some else 0.0
          for size in range(len(names) + 1) for some in combinations(names, size)}

    def share(name: str) -> float:
        others = [one for one in names if one != name]
        return sum(factorial(len(some)) * factorial(len(others) - len(some)) / factorial(len(names))
                   * (r2[tuple(one for one in names if one in {*some, name})] - r2[some])
                   for size in range(len(names)) for some in combinations(others, size))

    assert r2[tuple(names)] == pytest.approx(facts["r2"], abs=5e-7)  # printed with six decimals
    assert [share(name) for name in names] == pytest.approx(facts["lmg"], abs=facts["tol"])


def test_relative_weights_of_johnson(published, reference_folder):
    """Johnson (2000): regress on the nearest orthogonal columns, then carry the shares back to the real ones."""
    facts, data = published["johnson_rw_mtcars"], pd.read_csv(reference_folder / "mtcars_subset.csv")
    x, y = ((part - part.mean(axis=0)) / part.std(axis=0) for part in
            (data[facts["order"]].to_numpy(float), data["mpg"].to_numpy(float)))
    left, _, right = np.linalg.svd(x, full_matrices=False)
    nearest = left @ right * np.sqrt(len(x))
    slopes = ols_by_customer(y, np.column_stack([np.ones(len(y)), nearest]), np.arange(len(y))).params[1:]
    loadings = x.T @ nearest / len(x)
    assert explained(y, x) == pytest.approx(facts["r2"], abs=facts["tol"])
    assert loadings**2 @ slopes**2 == pytest.approx(facts["raw"], abs=facts["tol"])


@pytest.fixture(scope="module")
def counties(reference_folder):
    """Log employment, one row per county, one column per year; first.treat 0: never treated."""
    data = pd.read_csv(reference_folder / "mpdta.csv")
    return data.pivot(index=["countyreal", "first.treat"], columns="year", values="lemp").reset_index("first.treat")


def effect(counties: pd.DataFrame, group: int, year: int) -> tuple[float, float]:
    """ATT(g, t) and its error: the rise of the treated since the year before, less that of the never treated."""
    base = min(year, group) - 1
    among = counties[counties["first.treat"].isin([0, group])]
    treated = (among["first.treat"] == group).to_numpy(float)
    fit = ols_by_customer((among[year] - among[base]).to_numpy(), np.column_stack([np.ones(len(among)), treated]),
                          np.arange(len(among)))
    return fit.params[1], fit.bse[1]


def test_effects_by_group_and_year_of_callaway_and_santanna(published, counties):
    """The minimum wage and employment of teenagers, as printed by the R package did."""
    facts = published["cs_mpdta"]
    found = {(group, year): effect(counties, group, year) for group, year, _ in facts["att_gt"]}
    assert [att for att, _ in found.values()] == pytest.approx([att for *_, att in facts["att_gt"]],
                                                               abs=facts["tol_att"])
    assert [error for _, error in found.values()] == pytest.approx(facts["se_boot"], rel=facts["tol_se_rel"])
    size = counties["first.treat"].astype(int).value_counts()

    def mean(cells: list[tuple[int, int]]) -> float:
        return np.average([found[cell][0] for cell in cells], weights=[size[group] for group, _ in cells])

    dynamic = {since: mean([cell for cell in found if str(cell[1] - cell[0]) == since]) for since in facts["dynamic"]}
    assert dynamic == pytest.approx(facts["dynamic"], abs=facts["tol_att"])
    after = [value for since, value in dynamic.items() if int(since) >= 0]
    assert np.mean(after) == pytest.approx(facts["overall_dynamic"], abs=facts["tol_att"])
    groups = {group: np.mean([found[cell][0] for cell in found if cell[0] == int(group) <= cell[1]])
              for group in facts["group"]}
    assert groups == pytest.approx(facts["group"], abs=facts["tol_att"])
    overall = np.average(list(groups.values()), weights=[size[int(group)] for group in groups])
    assert overall == pytest.approx(facts["overall_group"], abs=facts["tol_att"])


def dummies(labels: pd.Series) -> pd.DataFrame:
    return pd.get_dummies(labels, dtype=float)


def test_staggered_effect_of_sun_and_abraham(published, reference_folder):
    """Every cohort's every distance has its own effect; ATT weighs those after the treatment by their rows.

    Errors as the R package fixest prints them: clustered by unit, whose own constants are not counted as parameters.
    One dummy for all treated rows is what goes wrong: it shows more than three times the true effect.
    """
    facts, data = published["sunab_base_stagg"], pd.read_csv(reference_folder / "base_stagg.csv")
    units, years = dummies(data["id"]), dummies(data["year"]).iloc[:, 1:]
    ever = data["year_treated"] <= data["year"].max()
    cell = data["year_treated"].astype(int).astype(str) + "@" + data["time_to_treatment"].astype(int).astype(str)
    cells = dummies(cell.where(ever & (data["time_to_treatment"] != -1)))
    design = pd.concat([data[["x1"]], cells, years, units], axis=1)
    fit = ols_by_customer(data["y"].to_numpy(), design.to_numpy(), data["id"].to_numpy())
    rows = cells.sum() * [not name.split("@")[1].startswith("-") for name in cells]
    weights = np.zeros(design.shape[1])
    weights[1:1 + len(rows)] = rows / rows.sum()
    counted = (len(data) - design.shape[1]) / (len(data) - design.shape[1] + units.shape[1] - 1)
    error = np.sqrt(weights @ fit.cov_params() @ weights * counted)
    assert [weights @ fit.params, error] == pytest.approx(facts["ATT"], abs=facts["tol"])
    assert [fit.params[0], fit.bse[0] * np.sqrt(counted)] == pytest.approx(facts["x1"], abs=facts["tol"])
    treated = pd.DataFrame({"treated": (ever & (data["time_to_treatment"] >= 0)).astype(float)})
    static = ols_by_customer(data["y"].to_numpy(), pd.concat([treated, data[["x1"]], years, units], axis=1).to_numpy(),
                             data["id"].to_numpy())
    assert static.params[0] == pytest.approx(facts["twfe_static_computed"], abs=5e-5)
    assert static.params[0] < 3 * facts["true_ATT"]
