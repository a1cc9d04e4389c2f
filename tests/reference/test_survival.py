"""Durations and churn against published survival data: IBM's telco; the lung and Rossi sets, which come with lifelines.

lifelines holds pandas below 3 and so cannot stand in the environment: its two tests are skipped, with that reason,
unless it is put on the path (`uv pip install --no-deps --target FOLDER lifelines autograd autograd-gamma`).
"""

import numpy as np
import pandas as pd
import pytest

from pipeline.measure.resolution import Durations, quantile, unsolved_share
from pipeline.relate import churn
from pipeline.relate.bgnbd import Rhythm, fit_rhythm, log_likelihood
from pipeline.relate.cox import fit_cox


@pytest.fixture(scope="module")
def datasets():
    return pytest.importorskip("lifelines.datasets", reason="the lung and Rossi data come with lifelines, not at hand")


def test_rossi_by_efron(published, datasets):
    """Fox and Weisberg: recidivism of 432 convicts, seven covariates, ties by Efron."""
    facts, frame = published["rossi"], datasets.load_rossi()
    fit = fit_cox(np.zeros(len(frame)), frame["week"].to_numpy(), frame["arrest"].to_numpy(), frame[facts["order"]],
                  np.arange(len(frame)), len(frame), ties="efron")
    np.testing.assert_allclose(fit.coef, facts["coef"], atol=6e-6)
    np.testing.assert_allclose(fit.model_se, facts["se"], atol=6e-6)


def test_median_of_the_lung_patients(published, datasets):
    """R's survival: median with the log-log interval, and by sex. (The project has no log interval and no log-rank.)"""
    facts, patients = published["lung"], datasets.load_lung()

    def median(part: pd.DataFrame):
        times = Durations(part["time"].to_numpy(float), (part["status"] == 1).to_numpy(), np.arange(len(part)))
        return quantile(times, 0.5)

    found = median(patients)
    assert (found.estimate, [found.low, found.high]) == (facts["median"], facts["ci_loglog"])
    assert [median(patients[patients["sex"] == sex]).estimate for sex in (1, 2)] == facts["median_sex"]


@pytest.fixture(scope="module")
def telco(reference_folder) -> pd.DataFrame:
    """IBM's customers as a one-off export: churn label, months of tenure, contract as the segment; not copied here."""
    folder = reference_folder.parent / "telco-ibm-extended"
    if not folder.exists():
        pytest.skip(f"no telco data in {folder}")
    left, services = (pd.read_excel(folder / f"Telco_customer_churn_{name}.xlsx") for name in ("status", "services"))
    both = services.merge(left[["Customer ID", "Churn Label"]], on="Customer ID", validate="one_to_one")
    return pd.DataFrame({"segment": both["Contract"], "tenure": both["Tenure in Months"].astype(float),
                         "is_churned": both["Churn Label"] == "Yes", "score_csat": np.nan})


def test_churn_of_the_telco_customers(published, telco):
    """Rate over all and by contract, as the page of a one-off export prints them."""
    facts = published["telco_ibm"]
    claims = {c.segment: c for c in churn.one_off(telco, "csat", list(facts["by_contract"]))[0]
              if c.claim_id == "churn.rate"}
    assert claims["all"].n_used == facts["n"] and claims["all"].estimate == pytest.approx(facts["rate"], abs=5e-5)
    assert claims["all"].estimate * facts["n"] == pytest.approx(facts["churned"])
    for contract, (n, left) in facts["by_contract"].items():
        one = claims[f"segment:{contract}"]
        assert (one.n_used, one.estimate * n) == (n, pytest.approx(left))


def test_survival_of_the_telco_customers(published, telco):
    """Kaplan-Meier after one, two and six years."""
    times = Durations(telco["tenure"].to_numpy(), telco["is_churned"].to_numpy(), np.arange(len(telco)))
    found = unsolved_share(times, np.array([12.0, 24.0, 72.0]))
    assert found == pytest.approx(published["telco_ibm"]["km_12_24_72_computed"], abs=5e-5)


def test_rhythm_of_purchases_of_cdnow(published, reference_folder):
    """Fader, Hardie and Lee 2005, table 2: 2,357 customers of a shop of records, weeks."""
    facts, rows = published["bgnbd_cdnow"], pd.read_csv(reference_folder / "cdnow_rfT.csv")
    rhythm = Rhythm(rows["frequency"].to_numpy(float), rows["recency"].to_numpy(), rows["T"].to_numpy())
    found = fit_rhythm(rhythm)
    np.testing.assert_allclose(found, facts["r_alpha_a_b"], atol=facts["tol"])
    assert log_likelihood(found, rhythm).sum() == pytest.approx(facts["ll"], abs=0.05)
