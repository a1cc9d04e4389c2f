"""Orders and order lines of the invented company."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.demo.latent import Latent, stream
from pipeline.demo.moments import LAST_DAY_OF_LEAVERS, at_hour, days_in, month_start, random_day, to_utc

LINE_SHARES = (0.55, 0.25, 0.13, 0.07)  # orders with 1, 2, 3, 4 lines
RETURN_SHARE = 0.04  # of orders; one line comes back whole, in the month of the order
GAMMA_SHAPE, GAMMA_SCALE = 2.0, 20.0  # of the amount of one order
ANONYMOUS_SHARE = 0.03  # orders over the counter without a customer, on top
CROSS_SALE = "servicio adicional"
CATEGORIES = ("alimentación", "hogar", "electrónica", "moda")
MARGINS = np.array([0.22, 0.38, 0.18, 0.45, 0.60])  # by category, cross-sale last
CHANNELS = ("store", "web", "telephone")
# Of each euro ordered this much stays after returns: a returned line is on average 1 / lines of its order.
NET_OF_RETURNS = 1 - RETURN_SHARE * sum(share / lines for lines, share in enumerate(LINE_SHARES, start=1))
MEAN_ORDER = GAMMA_SHAPE * GAMMA_SCALE * NET_OF_RETURNS  # expected net amount of one order, EUR


@dataclass(frozen=True)
class Orders:
    """Orders in order of time; every array one entry per order.

    customer: position of the customer, -1 nobody known. month: month index. is_cross_sale. amount_cents.
    channel: index into CHANNELS. local: clock time of the order. promised, delivered: clock times, NaT none.
    """

    order_id: np.ndarray
    customer: np.ndarray
    month: np.ndarray
    is_cross_sale: np.ndarray
    amount_cents: np.ndarray
    channel: np.ndarray
    local: np.ndarray
    promised: np.ndarray
    delivered: np.ndarray


def draw_orders(latent: Latent, seed: int, first_month: str) -> Orders:
    """The orders behind `latent.orders` and `latent.cross_sold`, with anonymous ones added on top.

    A month's orders of one customer sum to Gamma(shape 2 n, scale 20) EUR; a cross-sale is about 12 EUR and
    stands apart as product category "servicio adicional".
    """
    random = stream(seed, "order_details")
    own, month = _repeat(np.where(latent.is_active, latent.orders, 0))
    cross, cross_month = _repeat(latent.cross_sold.astype(int))
    count_anonymous = round(ANONYMOUS_SHARE * len(own))
    customer = np.concatenate([own, cross, np.full(count_anonymous, -1)])
    month = np.concatenate([month, cross_month, random.integers(0, latent.orders.shape[1], count_anonymous)])
    is_cross_sale = np.arange(len(customer)) - len(own)
    is_cross_sale = (is_cross_sale >= 0) & (is_cross_sale < len(cross))
    n = len(customer)
    amount = random.gamma(GAMMA_SHAPE, np.where(is_cross_sale, 6.0, GAMMA_SCALE))
    channel = np.where(customer < 0, 0, random.choice(3, size=n, p=(0.55, 0.35, 0.10)))
    leaves = (customer >= 0) & latent.churned[customer, month]
    day = random_day(random, first_month, month, leaves)
    local = at_hour(day, 8 + 13 * random.random(n))
    promised = at_hour(day + 3, np.full(n, 20.0))
    late = np.floor(random.lognormal(np.log(2.0), 0.45, n)).astype(int)
    delivered = at_hour(day + 1 + late, 9 + 10.9 * random.random(n))
    none = np.datetime64("NaT")
    is_sent = (channel > 0) & ~is_cross_sale
    promised = np.where(is_sent, promised, none)
    last_moment = month_start(first_month, latent.orders.shape[1]).astype("datetime64[m]")
    delivered = np.where(is_sent & (delivered < last_moment), delivered, none)
    order = np.lexsort([customer, local])
    number = 4_100_000_000 + 7 * np.arange(n)
    return Orders(number.astype(str), customer[order], month[order], is_cross_sale[order],
                  np.maximum(np.rint(amount * 100), 100).astype("int64")[order], channel[order], local[order],
                  promised[order], delivered[order])


def sales_frame(orders: Orders, latent: Latent, customer_ids: np.ndarray, branch_names: np.ndarray, seed: int,
                first_month: str) -> pd.DataFrame:
    """One row per order line in the columns of the canonical `sales`, ordered by time, order and line.

    A return is one further line of its order, negative, a few days later but in the same month (and before the
    customer leaves), so that returns scale a month's sales and leave every ratio between months' means alone.
    """
    random = stream(seed, "order_lines")
    n = len(orders.customer)
    lines = np.where(orders.is_cross_sale, 1, random.choice(4, size=n, p=LINE_SHARES) + 1)
    row = np.repeat(np.arange(n), lines)
    first = np.cumsum(lines) - lines
    line = np.arange(len(row)) - first[row] + 1
    weight = random.gamma(2.0, 1.0, len(row))
    weight /= np.add.reduceat(weight, first)[row]
    cents = 1 + np.floor(weight * (orders.amount_cents - lines)[row]).astype("int64")  # no line is given away
    cents[first] += orders.amount_cents - np.add.reduceat(cents, first)
    category = np.where(orders.is_cross_sale[row], 4, random.choice(4, size=len(row), p=(0.4, 0.25, 0.15, 0.2)))
    margin = np.rint(cents * (MARGINS[category] + random.normal(0, 0.03, len(row)))).astype("int64")
    quantity = 1 + random.poisson(0.4, len(row))

    returned = np.flatnonzero((random.random(n) < RETURN_SHARE) & ~orders.is_cross_sale)
    back = first[returned] + np.floor(random.random(len(returned)) * lines[returned]).astype(int)
    row, line = np.append(row, returned), np.append(line, lines[returned] + 1)
    cents, margin = np.append(cents, -cents[back]), np.append(margin, -margin[back])
    category, quantity = np.append(category, category[back]), np.append(quantity, -quantity[back])
    is_return = np.arange(len(row)) >= len(row) - len(returned)
    local = orders.local[row]
    local[is_return] = _return_moment(orders, latent, returned, random, first_month)

    order = np.lexsort([line, orders.order_id[row], local])
    row, line, is_return, local = row[order], line[order], is_return[order], local[order]
    customer = orders.customer[row]
    known = customer >= 0
    counter_branch = stream(seed, "counter").integers(0, len(branch_names), n)[row]
    branch = np.where(known, latent.branch[customer], counter_branch)
    return pd.DataFrame({
        "order_id": pd.array(orders.order_id[row], dtype="str"),
        "line_id": pd.array(line.astype(str), dtype="str"),
        "customer_id": pd.Series(customer_ids[customer], dtype="str").where(known),
        "ordered_at": to_utc(local),
        "quantity": quantity[order].astype(float),
        "net_amount": cents[order] / 100,
        "currency": pd.Series("EUR", index=range(len(row)), dtype="str"),
        "is_return": is_return,
        "product_category": pd.array(np.array([*CATEGORIES, CROSS_SALE])[category[order]], dtype="str"),
        "channel": pd.array(np.array(CHANNELS)[orders.channel[row]], dtype="str"),
        "branch": pd.array(branch_names[branch], dtype="str"),
        "margin": margin[order] / 100,
        "promised_at": to_utc(orders.promised)[row],
        "delivered_at": to_utc(orders.delivered)[row],
    })


def _repeat(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Customer and month of every unit counted in an (n, T) array."""
    customer, month = np.nonzero(counts)
    times = counts[customer, month]
    return np.repeat(customer, times), np.repeat(month, times)


def _return_moment(orders: Orders, latent: Latent, returned: np.ndarray, random: np.random.Generator,
                   first_month: str) -> np.ndarray:
    """Clock time of each return: up to five days after its order, never past the month nor past the customer."""
    month, customer = orders.month[returned], orders.customer[returned]
    leaves = (customer >= 0) & latent.churned[customer, month]
    last = np.where(leaves, LAST_DAY_OF_LEAVERS, days_in(first_month, month))
    last_minute = month_start(first_month, month).astype("datetime64[m]") + last * 1440 - 1
    wanted = orders.local[returned] + np.floor(1440 * 5 * random.random(len(returned))).astype("timedelta64[m]")
    day = np.minimum(wanted, last_minute).astype("datetime64[D]")
    shop_hours = at_hour(day, 21 + random.random(len(returned)))  # after the day's last order, outside the DST gap
    return np.minimum(shop_hours, last_minute)
