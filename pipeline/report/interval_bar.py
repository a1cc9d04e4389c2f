"""A small drawing of one claim: its interval, its estimate and the line of "nothing happens"."""

from pipeline.contracts.claims import Claim
from pipeline.report import numerals

WIDTH, HEIGHT, EDGE = 220, 38, 10
TRACK, INK = "#d5dde3", "#33434f"
COLOURS = {"good": "#00639c", "bad": "#c8500a", "zero": "#5b6b78", "described": "#0e4f63"}


def draw(claim: Claim, state: str, against: float | None) -> str:
    """SVG of the interval on an axis that holds it whole; "" for a claim without an interval.

    against: the value that the claim is compared with, None when it is compared with nothing.
    """
    if claim.estimate is None or claim.ci_low is None or claim.ci_high is None:
        return ""
    left, right = _axis(claim, against)

    def x(value: float) -> str:
        share = (value - left) / (right - left) if right > left else 0.5
        return f"{EDGE + share * (WIDTH - 2 * EDGE):.1f}"

    colour = COLOURS.get(state, COLOURS["zero"])
    marks = [f'<path d="M{EDGE} 15H{WIDTH - EDGE}" stroke="{TRACK}" stroke-width="2" stroke-linecap="round"/>']
    line = against if against is not None else 0.0 if left <= 0 <= right else None
    if line is not None:
        dash = "" if against is not None else ' stroke-dasharray="2 2"'
        marks.append(f'<path d="M{x(line)} 3V25" stroke="{INK}" stroke-width="1.3"{dash}/>')
        marks.append(f'<text x="{x(line)}" y="36" font-size="10.5" text-anchor="middle" fill="{INK}" '
                     f'font-family="sans-serif">{line:g}</text>')
    low, high = x(claim.ci_low), x(claim.ci_high)
    marks.append(f'<path d="M{low} 15H{high}" stroke="{colour}" stroke-width="7" stroke-opacity=".38"/>')
    marks.append(f'<path d="M{low} 10V20M{high} 10V20" stroke="{colour}" stroke-width="1.6"/>')
    marks.append(f'<circle cx="{x(claim.estimate)}" cy="15" r="5" fill="{colour}"/>')
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
            f'viewBox="0 0 {WIDTH} {HEIGHT}">{"".join(marks)}</svg>')


def _axis(claim: Claim, against: float | None) -> tuple[float, float]:
    """Ends of the axis: 0 to 1 for a described share that is not small, else all that is drawn and some air."""
    if numerals.kind(claim.unit) == "share" and against is None and claim.ci_low >= 0 and 0.2 < claim.ci_high <= 1:
        return 0.0, 1.0
    values = [claim.ci_low, claim.ci_high, 0.0 if against is None else against]
    left, right = min(values), max(values)
    air = (right - left) * 0.12 or 1.0
    return (left - air if left < 0 or against is not None else left), (right + air if right > 0 else right)
