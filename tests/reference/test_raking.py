"""Raking of a cluster sample against R's survey package."""

import numpy as np
import pandas as pd
import pytest

from pipeline.measure.weighting import calibrated_residual, clustered_error, rake, weighted_mean

FINITE = np.sqrt(1 - 15 / 757)  # 15 of 757 districts were drawn
TOLERANCE = 0.006  # of means, as printed; the total is printed whole, and R stops raking a little earlier
STYPE = {"E": 4421, "H": 755, "M": 1018}
WIDE = {"No": 1072, "Yes": 5122}


@pytest.fixture
def schools(reference_folder) -> pd.DataFrame:
    """apiclus1 (GPL, not copied here), 15 districts with all their schools."""
    return pd.read_csv(reference_folder / "apiclus1_subset.csv")


def test_raking_of_the_survey_package(schools):
    """cran/survey @4834b8b, tests/rakecheck.Rout.save: mean of api00 641.23 (23.704), unraked 644.17 (23.542),
    total of enroll 3647280 (400603)."""
    levels = np.column_stack([pd.Categorical(schools["stype"], list(STYPE)).codes,
                              pd.Categorical(schools["sch.wide"], list(WIDE)).codes])
    base, district = schools["pw"].to_numpy(), pd.factorize(schools["dnum"])[0]
    weights = rake(base, levels, [np.array(list(part.values()), float) for part in (STYPE, WIDE)])
    score, enrolled = schools["api00"].to_numpy(float), schools["enroll"].to_numpy(float)

    mean = weighted_mean(score, weights)
    residual = calibrated_residual(score - mean, base, levels)
    assert mean == pytest.approx(641.23, abs=TOLERANCE)
    assert FINITE * clustered_error(weights * residual / weights.sum(), district) == pytest.approx(23.704,
                                                                                                 abs=TOLERANCE)
    assert (weights * enrolled).sum() == pytest.approx(3647280, abs=1)
    residual = calibrated_residual(enrolled, base, levels)
    assert FINITE * clustered_error(weights * residual, district) == pytest.approx(400603, rel=2e-5)

    plain = weighted_mean(score, base)
    assert plain == pytest.approx(644.17, abs=TOLERANCE)
    assert FINITE * clustered_error(base * (score - plain) / base.sum(), district) == pytest.approx(23.542,
                                                                                                  abs=TOLERANCE)
