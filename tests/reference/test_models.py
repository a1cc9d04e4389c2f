"""The models of sales and churn against published fits, each at its own stated tolerance."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from pipeline.relate.cox import fit_cox
from pipeline.relate.hazard import fit_hazard
from pipeline.relate.naive import ols_by_customer


def test_least_squares_clustered_by_firm_and_by_firm_and_year(published, reference_folder):
    """Petersen (2009), as printed by the R package sandwich."""
    facts, data = published["petersen"], pd.read_csv(reference_folder / "petersen_cl.csv.gz")
    design, y = sm.add_constant(data["x"].to_numpy()), data["y"].to_numpy()
    by_firm = ols_by_customer(y, design, data["firm"].to_numpy())
    assert by_firm.params == pytest.approx(facts["coef"], abs=5e-5)
    assert by_firm.bse == pytest.approx(facts["se_firm"], abs=facts["tol_firm"])
    two_way = ols_by_customer(y, design, data[["firm", "year"]].to_numpy())
    assert two_way.bse == pytest.approx(facts["se_twoway"], abs=facts["tol_twoway"])


def test_logit_clustered_by_firm(published, reference_folder):
    """The same data, outcome above zero: Stata's covariance with G/(G-1), at the digits printed."""
    data = pd.read_csv(reference_folder / "petersen_cl.csv.gz")
    fit = fit_hazard((data["y"] > 0).to_numpy(), data[["x"]], data[[]], data["firm"].to_numpy() - 1, 500, "logit")
    order = [fit.names.index("constant"), fit.names.index("x")]
    covariance = (fit.influence.T @ fit.influence * 500 / 499)[np.ix_(order, order)]
    np.testing.assert_allclose(covariance, published["petersen"]["logit_cluster_vcov_stata_brl"], atol=2e-8)


def person_periods(folder):
    """One row per pupil and grade from 7 on, up to the first time or the end of the study."""
    pupils = pd.read_csv(folder / "first_sex.csv")
    rows = pupils.loc[pupils.index.repeat(pupils["grade"] - 6)].rename(columns={"grade": "last"})
    rows = rows.assign(grade=7 + rows.groupby("id").cumcount())
    happened = (rows["grade"] == rows["last"]) & (rows["censor"] == 0)
    return rows.assign(event=happened.astype(float)).reset_index(drop=True)


@pytest.fixture(scope="module")
def pupils(reference_folder):
    return person_periods(reference_folder)


def hazard(pupils, columns, link="logit"):
    return fit_hazard(pupils["event"], pupils[columns], pupils[["grade"]], pupils["id"].to_numpy() - 1,
                      int(pupils["id"].max()), link)


def test_discrete_time_hazards_of_singer_and_willett(published, pupils):
    """Applied Longitudinal Data Analysis, tables 11.1 and 11.3: models A to D, and B with the cloglog link."""
    facts = published["singer_willett_firstsex"]
    near = {"abs": facts["tol"]}
    assert (len(pupils), pupils["event"].sum()) == (facts["person_periods"], facts["events"])
    grades = pd.get_dummies(pupils["grade"], dtype=float).iloc[:, 1:]
    only = fit_hazard(pupils["event"], grades, pupils[[]], pupils["id"].to_numpy() - 1,
                      int(pupils["id"].max()), "logit")
    level = only["constant"].value
    assert [level, *(level + only[g].value for g in grades)] == pytest.approx(facts["A"], **near)
    assert only.deviance == pytest.approx(facts["devA"], **near)
    transition = hazard(pupils, ["parental_transition"])
    level = transition["constant"].value
    found = [level, *(level + transition[f"grade_{g}"].value for g in range(8, 13)),
             transition["parental_transition"].value]
    assert found == pytest.approx(facts["B"], **near) and transition.deviance == pytest.approx(facts["devB"], **near)
    antisocial = hazard(pupils, ["parental_antisociality"])
    assert antisocial["parental_antisociality"].value == pytest.approx(facts["C_pas"], **near)
    assert antisocial.deviance == pytest.approx(facts["devC"], **near)
    both = hazard(pupils, ["parental_transition", "parental_antisociality"])
    assert [both[n].value for n in both.names[:2]] == pytest.approx(facts["D"], **near)
    assert both.deviance == pytest.approx(facts["devD"], **near)
    cloglog = hazard(pupils, ["parental_transition"], "cloglog")
    assert cloglog["parental_transition"].value == pytest.approx(facts["cloglog_pt"], **near)
    assert cloglog.deviance == pytest.approx(facts["dev_cloglog"], abs=0.06)  # printed with one decimal


def test_stanford_heart_transplants(published, reference_folder):
    """Kalbfleisch and Prentice, p. 139, late entry and Breslow's ties."""
    facts, frame = published["stanford_heart"], pd.read_csv(reference_folder / "stanford_heart_jasa1.csv")
    x = frame[["age", "surgery", "transplant"]].assign(
        age_transplant=frame["age"] * frame["transplant"], surgery_transplant=frame["surgery"] * frame["transplant"])
    fit = cox(frame, frame["start"], x)
    np.testing.assert_allclose(fit.coef, facts["coef"], atol=facts["tol"])
    np.testing.assert_allclose(fit.model_se, facts["se"], atol=facts["tol"])


def cox(frame, start, x):
    who = pd.factorize(frame["id"])[0]
    return fit_cox(np.asarray(start, float), frame["stop"].to_numpy(), frame["event"].to_numpy(), x, who, who.max() + 1)


def test_longley(published):
    """NIST's ill-conditioned regression; the data come with statsmodels."""
    data = sm.datasets.longley.load_pandas()
    fit = ols_by_customer(data.endog.to_numpy(), sm.add_constant(data.exog.to_numpy()), np.arange(len(data.endog)))
    assert fit.params == pytest.approx(published["longley"]["coef"], rel=1e-7)
