"""How far the silent could move a score: the band of what it would be, and where it leaves its interval."""

import numpy as np
import pandas as pd

from pipeline.contracts.claims import Claim
from pipeline.measure.questions import Question

STEPS = 20  # of the band, up to a tenth of the scale; more of them where the answer needs them


def tipping(weighted: pd.Series, raw: float, rate: float, question: Question) -> tuple[float, float]:
    """By how much lower the silent must score for the score to leave the weighted interval; and by how much they can.

    They can at most fall to the end of the scale from where those like them stand.
    """
    like_them = (weighted["estimate"] - rate * raw) / (1 - rate)
    return (weighted["estimate"] - weighted["ci_low"]) / (1 - rate), like_them - question.lowest * question.factor


def tipping_claim(claim_id: str, tip: float, is_there: bool, question: Question, n: int, common: dict) -> Claim:
    """The claim of the tipping point, or why there is none; common: fields that both share."""
    if is_there:
        return Claim(claim_id, tip, question.change_unit, n, "tipping_band", **common)
    return Claim(claim_id, None, question.change_unit, n, "tipping_band",
                 **common | {"status": "not_estimable", "reason": "no_tipping_point"})


def band_of(weighted: pd.Series, rate: float, question: Question, tip: float) -> pd.DataFrame:
    """The score of all asked, by how much lower the silent score than those who are like them and answered.

    Up to a tenth of the scale, and on to a tenth of it beyond the tipping point where that lies further out.
    """
    step = question.tenth * question.factor / STEPS
    last = STEPS if tip <= STEPS * step else int(np.ceil(tip / step / STEPS)) * STEPS
    delta = np.arange(last + 1) * step
    drop, lowest = delta * (1 - rate), question.lowest * question.factor
    return pd.DataFrame({"delta": delta} | {
        name: np.maximum(weighted[name] - drop, lowest) for name in ("estimate", "ci_low", "ci_high")})
