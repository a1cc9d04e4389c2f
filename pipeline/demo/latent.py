"""What happens to the invented customers month by month, before anybody exports anything."""

import zlib
from dataclasses import dataclass

import numpy as np

from pipeline.demo.worlds import BRANCHES, COHORT_MONTHS, SEGMENT_SHARES, World

NEVER = 9_999  # cohort month of branches that the action never reaches


@dataclass(frozen=True)
class Latent:
    """Everything that drives one invented company; n customers, T months, month index 0 = first month.

    Of shape (n,): segment (0, 1, 2), value (v), is_big (observed band, v > 0.2), branch (0-39), cohort (month
    index of the rollout in the home branch, NEVER), acquired_month (-1: before the window, else the month in which
    the contract began; active from the month after), potential_before (the answer X of month -1).
    Of shape (40,): branch_cohort. Of shape (n, T), first axis customers:
    satisfaction (s), potential (X, the 0-10 answer that would be given if asked), contact, has_bad_contact (the
    contact went badly), ramp (of the action, 0-1), expected_orders (Poisson mean, given X of the month before),
    orders, is_active (a customer at the start of the month), churned (left inside the month, after its orders),
    cross_sold (bought an additional service), invited, answered (the monthly relational survey).
    Values of months in which a customer is not active are drawn too and mean nothing; is_active says which count.
    """

    segment: np.ndarray
    value: np.ndarray
    is_big: np.ndarray
    branch: np.ndarray
    branch_cohort: np.ndarray
    acquired_month: np.ndarray
    potential_before: np.ndarray
    satisfaction: np.ndarray
    potential: np.ndarray
    contact: np.ndarray
    has_bad_contact: np.ndarray
    ramp: np.ndarray
    expected_orders: np.ndarray
    orders: np.ndarray
    is_active: np.ndarray
    churned: np.ndarray
    cross_sold: np.ndarray
    invited: np.ndarray
    answered: np.ndarray

    @property
    def cohort(self) -> np.ndarray:
        return self.branch_cohort[self.branch]

    @property
    def potential_lagged(self) -> np.ndarray:
        """X of the month before, (n, T)."""
        return np.column_stack([self.potential_before, self.potential[:, :-1]])


def stream(seed: int, name: str) -> np.random.Generator:
    """A random stream of its own for each purpose, so that one more draw here moves nothing there."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def draw_latent(customers: int, months: int, seed: int, world: World, network: int | None = None) -> Latent:
    """One company's months, customer × month; the equations are those of METHODS §10.

    Same seed and size in two worlds: same people, same shocks (common random numbers), only the effects differ.
    network: seed of the branches (level, rollout), else `seed`; companies of one network differ by their customers
    alone, which is what an interval over customers speaks of.
    The month runs: orders and churn by the answer of the month before, then contact, satisfaction, answer.
    """
    people = stream(seed, "people")
    segment = people.choice(3, size=customers, p=SEGMENT_SHARES)
    value = people.normal(0, 0.7, customers) + 0.5 * (segment - 0.5)
    is_big = value > 0.2
    attitude = people.normal(0, 0.8, customers)
    branch = people.integers(0, BRANCHES, customers)
    acquired_month = np.where(people.random(customers) < 0.2,
                              people.integers(1, max(2, min(19, months)), customers), -1)
    branch_level, branch_cohort = _branches(seed if network is None else network)
    ramp = _ramp(branch_cohort[branch], months, world)
    drift = world.pretrend * (branch_cohort[branch] != NEVER)
    steady = 7.3 + 0.6 * value + attitude + branch_level[branch]
    base_rate = -0.1 + 0.8 * value
    base_hazard = -3.9 - 0.5 * is_big - 0.3 * (segment == 2)
    action = np.asarray(world.action_on_sales)[segment]

    mood, bad = stream(seed, "mood"), np.zeros(customers)
    touch, noise, leave = stream(seed, "contact"), stream(seed, "answer"), stream(seed, "churn")
    buy, extra, ask = stream(seed, "orders"), stream(seed, "cross_sale"), stream(seed, "survey")
    experience = mood.normal(size=customers)
    has_left = np.zeros(customers, bool)
    contact_before = np.zeros(customers, bool)
    columns: dict[str, list[np.ndarray]] = {}
    potential = np.zeros(customers)
    for t in range(-1, months):
        if t >= 0:
            season = 0.25 * np.sin(2 * np.pi * t / 12) + 0.01 * t
            expected = np.exp(base_rate + season + drift * t + world.sales_per_point * (potential - 7)
                              + action * ramp[:, t])
            orders = buy.poisson(expected)
            hazard = -np.expm1(-np.exp(base_hazard + world.churn_per_point * (potential - 7) + 0.02 * min(t, 12)))
            is_active = (acquired_month < t) & ~has_left
            churned = is_active & (leave.random(customers) < hazard)
            experience = 0.6 * experience + 0.8 * mood.normal(size=customers)
        contact = touch.random(customers) < _logistic(-3 + 0.5 * is_big + 0.25 * (experience < -1))
        has_bad_contact = contact & (touch.random(customers) < 0.35)
        bad = 0.5 * bad + has_bad_contact
        satisfaction = steady + 0.9 * experience - 0.8 * bad
        if t >= 0:
            satisfaction += world.action_on_score * ramp[:, t]
            satisfaction += world.feedback * (orders - expected) / np.sqrt(expected)
        potential = np.clip(np.rint(satisfaction + noise.normal(0, 1.1, customers)), 0, 10)
        if t < 0:
            potential_before, contact_before = potential, contact
            continue
        recent = contact | contact_before
        cross_sold = is_active & (extra.random(customers)
                                  < _logistic(-4.2 + world.contact_on_cross_sale * recent + 0.5 * is_big))
        invited = is_active & (ask.random(customers) < 0.4)
        answered = invited & (ask.random(customers) < _logistic(
            -1 + 1.2 * (is_big - 0.4) + 0.6 * contact + world.response_per_point * (potential - 7)))
        for name, values in (("satisfaction", satisfaction), ("potential", potential), ("contact", contact),
                             ("has_bad_contact", has_bad_contact), ("expected_orders", expected), ("orders", orders),
                             ("is_active", is_active), ("churned", churned), ("cross_sold", cross_sold),
                             ("invited", invited), ("answered", answered)):
            columns.setdefault(name, []).append(values)
        has_left |= churned
        contact_before = contact
    monthly = {name: np.column_stack(values) for name, values in columns.items()}
    return Latent(segment=segment, value=value, is_big=is_big, branch=branch, branch_cohort=branch_cohort,
                  acquired_month=acquired_month, potential_before=potential_before, ramp=ramp, **monthly)


def _branches(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Level of satisfaction and rollout month of each branch; better branches tend to come first (selection)."""
    random = stream(seed, "branches")
    level = random.normal(0, 0.3, BRANCHES)
    order = np.argsort(-(level + random.normal(0, 0.3, BRANCHES)), kind="stable")
    cohort = np.full(BRANCHES, NEVER)
    each = BRANCHES // (len(COHORT_MONTHS) + 1)
    for place, month in enumerate(COHORT_MONTHS):
        cohort[order[place * each:(place + 1) * each]] = month
    return level, cohort


def _ramp(cohort: np.ndarray, months: int, world: World) -> np.ndarray:
    """How far the action has built up, (n, T): 1 - exp(-(k + 1) / 6) after k whole months, 0 before."""
    since = np.arange(months)[None, :] - cohort[:, None]
    built = np.ones(since.shape) if world.is_step else -np.expm1(-(np.maximum(since, 0) + 1) / 6)
    return np.where(since >= 0, built, 0.0)


def _logistic(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))
