"""Medians, spreads, ratios and slopes."""

import numpy as np


def summary(values, unit):
    """Return median and quartiles of some values under keys that name the unit.

    Examples
    --------
    >>> summary([1, 2, 3, 4, 5], "ms")
    {'median_ms': 3.0, 'lower_quartile_ms': 2.0, 'upper_quartile_ms': 4.0}
    """
    lower, median, upper = np.quantile(values, [0.25, 0.5, 0.75])
    return {
        f"median_{unit}": rounded(median),
        f"lower_quartile_{unit}": rounded(lower),
        f"upper_quartile_{unit}": rounded(upper),
    }


def median_ms(seconds):
    """Return the median of some seconds in milliseconds.

    Examples
    --------
    >>> median_ms([0.001, 0.002, 0.004])
    2.0
    """
    return 1000 * float(np.median(seconds))


def ratios(values, others):
    """Return the ratios of two series, round by round: what slows a round down slows both.

    Examples
    --------
    >>> ratios([1, 2, 30], [2, 4, 60])
    [0.5, 0.5, 0.5]
    """
    return [a / b for a, b in zip(values, others, strict=True)]


def slope(sizes, values):
    """Return the least-squares slope of log value on log size: 1 where it grows in proportion.

    Examples
    --------
    >>> round(slope([1, 10, 100], [3, 30, 300]), 6)
    1.0
    """
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])


def rounded(value, digits=4):
    """Return a number to so many significant digits, None as it is.

    Examples
    --------
    >>> rounded(0.123456), rounded(None)
    (0.1235, None)
    """
    return None if value is None else float(f"{value:.{digits}g}")
