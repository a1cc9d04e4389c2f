"""The effects planted in each invented world, as numbers; everything that the truth is made of stands here."""

from dataclasses import dataclass, replace

COHORT_MONTHS = (8, 11, 14, 17)  # month index (0 = first month) in which the action reaches a fifth of the branches
BRANCHES = 40
SEGMENTS = ("hogar", "autónomo", "empresa")
SEGMENT_SHARES = (0.6, 0.3, 0.1)
CATEGORIES = ("promoter", "passive", "detractor")


@dataclass(frozen=True)
class World:
    """What causes what in one invented world (all on the scale named).

    sales_per_point: log orders of month t per point of the 0-10 answer of month t-1.
    churn_per_point: log hazard of leaving in month t per point of the answer of month t-1.
    action_on_sales: log orders at full ramp, by segment; action_on_score: points of satisfaction at full ramp.
    contact_on_cross_sale: log odds of buying an additional service when in contact within two months.
    response_per_point: log odds of answering per point of the answer that would be given (0: at random given value).
    referrals_per_point: log chance of recommending the customers won in month t per point of the answer of month t-1.
    feedback: points of satisfaction per standard deviation of this month's own surprise in orders.
    pretrend: log orders per month by which branches that will receive the action drift apart before and after it.
    is_step: the action works in full at once instead of building up over about a year.
    """

    name: str = "base"
    sales_per_point: float = 0.06
    churn_per_point: float = -0.20
    action_on_sales: tuple[float, float, float] = (0.04, 0.10, 0.16)
    action_on_score: float = 0.8
    contact_on_cross_sale: float = 0.9
    response_per_point: float = 0.0
    referrals_per_point: float = 0.25
    feedback: float = 0.0
    pretrend: float = 0.0
    is_step: bool = False


BASE = World()
WORLDS = {
    world.name: world
    for world in (
        BASE,
        replace(BASE, name="feedback", feedback=0.35),
        replace(BASE, name="nonresponse", response_per_point=0.25),
        replace(BASE, name="null", sales_per_point=0.0, churn_per_point=0.0, action_on_sales=(0.0, 0.0, 0.0),
                action_on_score=0.0, contact_on_cross_sale=0.0, referrals_per_point=0.0),
        replace(BASE, name="pretrend", pretrend=0.012),
        replace(BASE, name="step", is_step=True),
    )
}


def world_named(name: str) -> World:
    """The world of that name; ValueError names the worlds there are."""
    if name not in WORLDS:
        raise ValueError(f"no world is called {name!r}; there are {', '.join(WORLDS)}")
    return WORLDS[name]
