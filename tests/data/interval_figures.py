"""Writes interval_figures.csv: exact quantiles by scipy, for tests/it/curves/intervals.rs.

beta rows: kappa, p -> the 5 % quantile of Beta(kappa p, kappa (1 - p)) and the 95 % quantile of
Beta(kappa p + 1, kappa (1 - p)). beta_binomial rows: n, a, b -> the 5 % and 95 % quantiles of the count.
"""
import csv, pathlib
from scipy.stats import beta, betabinom

with open(pathlib.Path(__file__).with_suffix(".csv"), "w", newline="") as file:
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow(["kind", "first", "second", "third", "low", "high"])
    for kappa in (20.0, 57.3, 130.0, 411.0, 1999.0):
        for p in (0.0003, 0.0011, 0.006, 0.0207, 0.05, 0.13, 0.4, 0.83):
            low = beta.ppf(0.05, kappa * p, kappa * (1 - p))
            high = beta.ppf(0.95, kappa * p + 1, kappa * (1 - p))
            rows.writerow(["beta", kappa, p, "", repr(float(low)), repr(float(high))])
    for n in (1, 7, 30, 100, 400):
        for a, b in ((0.3, 40.0), (2.5, 60.0), (11.0, 11.0), (90.0, 5.0)):
            low, high = betabinom.ppf(0.05, n, a, b), betabinom.ppf(0.95, n, a, b)
            rows.writerow(["beta_binomial", n, a, b, int(low), int(high)])
