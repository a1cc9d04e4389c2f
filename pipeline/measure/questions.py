"""The questions that are asked of customers, and how an answer counts where everybody's answer is wanted.

NPS counts -1, 0 or 1 (printed in points, -100 to 100), CSAT 0 or 1 by its declared top box (printed as a share), CES
its turned score on its own scale.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from pipeline.measure.clusters import Score
from pipeline.measure.effort import mean
from pipeline.measure.nps import nps, sides
from pipeline.measure.proportions import share, top_box


@dataclass(frozen=True)
class Question:
    """instrument and claim_id of its score; unit and factor of printed levels, and of differences; scale of a level.

    value: scores (turned) -> what each answer counts, in the level's unit over `factor`. plain: the estimator of the
    answers as they are. lowest, highest: what one answer can count.
    """

    instrument: str
    claim_id: str
    unit: str
    factor: float
    change_unit: str
    change_factor: float
    lowest: float
    highest: float
    value: Callable[[pd.Series], np.ndarray]
    plain: Callable[[np.ndarray, np.ndarray, int], Score]

    @property
    def tenth(self) -> float:
        """A tenth of the scale, in the unit of answers: 20 points of NPS, 10 percentage points of CSAT."""
        return (self.highest - self.lowest) / 10


NPS = Question("nps", "experience.nps", "points", 100.0, "points", 100.0, -1.0, 1.0, sides, nps)


def asked_questions(surveys: pd.DataFrame | None, top_boxes: dict[str, float]) -> list[Question]:
    """NPS always (it says so where it was not asked); CSAT where asked and its top box is declared; CES where asked."""
    found = [NPS]
    names = set() if surveys is None else set(surveys["instrument"])
    if "csat" in names and "csat" in top_boxes:
        found.append(Question("csat", "experience.csat", "share", 1.0, "pp", 100.0, 0.0, 1.0,
                              lambda scores: top_box(scores, top_boxes["csat"]), share))
    if "ces" in names:
        scale = surveys[surveys["instrument"] == "ces"]
        low, high = float(scale["scale_min"].min()), float(scale["scale_max"].max())
        found.append(Question("ces", "experience.ces", "points", 1.0, "points", 1.0, low, high,
                              lambda scores: scores.to_numpy(float), partial(mean, lowest=low, highest=high)))
    return found
