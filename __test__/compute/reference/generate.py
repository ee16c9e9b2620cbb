"""Writes numpy.json: what numpy answers to the tasks of reference.test.js.

Run with numpy installed: python3 generate.py > numpy.json
The inputs are not stored: both sides draw them from the same generator, in the same order.
"""

import json
import sys

import numpy as np


class Draws:
    """The linear congruential generator of reference.test.js; every value is exact in both languages."""

    def __init__(self, state):
        self.state = state

    def number(self):
        self.state = (self.state * 1103515245 + 12345) % 2**31
        return self.state / 2**30 - 1

    def array(self, *shape):
        return np.array([self.number() for _ in range(int(np.prod(shape)))]).reshape(shape)


def alike(rows, score):
    return [[score(a, b) for b in rows] for a in rows]


def cosine(a, b):
    return a @ b / np.sqrt((a @ a) * (b @ b))


def jaccard(a, b):
    return np.sum((a != 0) & (b != 0)) / np.sum((a != 0) | (b != 0))


def euclidean(a, b):
    return 1 / (1 + np.linalg.norm(a - b))


def shared(score, least):
    """The score over the items that both have rated (not NaN); 0 where they are too few."""

    def of(a, b):
        both = ~np.isnan(a) & ~np.isnan(b)
        return score(a[both], b[both]) if np.sum(both) >= least else 0.0

    return of


def main():
    a, b = Draws(1).array(23, 37), Draws(2).array(37, 19)
    square = Draws(3).array(70, 70) + 5 * np.eye(70)
    right = Draws(4).array(70, 3)
    rows = Draws(5).array(14, 53)
    sparse = np.where(Draws(6).array(14, 53) > 0.3, rows, 0.0)
    rated = np.where(Draws(7).array(14, 53) > -0.2, np.round(rows * 5), np.nan)
    numbers = Draws(8).array(10001) * 1e3 + 7e5
    percents = [0, 1, 12.5, 25, 50, 75, 99.9, 100]
    answers = {
        "numpy": np.__version__,
        "product": (a @ b).tolist(),
        "transpose": a.T.tolist(),
        "inverse": np.linalg.inv(square).tolist(),
        "solution": np.linalg.solve(square, right).tolist(),
        "pearson": np.corrcoef(rows).tolist(),
        "cosine": alike(rows, cosine),
        "jaccard": alike(sparse, jaccard),
        "euclidean": alike(rows, euclidean),
        "ratedPearson": alike(rated, shared(lambda x, y: np.corrcoef(x, y)[0, 1], 2)),
        "ratedCosine": alike(np.nan_to_num(rated), cosine),
        "ratedJaccard": alike(~np.isnan(rated) * 1.0, jaccard),
        "ratedEuclidean": alike(rated, shared(euclidean, 1)),
        "statistics": {
            "count": numbers.size,
            "sum": numbers.sum(),
            "mean": numbers.mean(),
            "variance": numbers.var(),
            "standardDeviation": numbers.std(),
            "sampleVariance": numbers.var(ddof=1),
            "sampleStandardDeviation": numbers.std(ddof=1),
            "min": numbers.min(),
            "max": numbers.max(),
            "median": np.median(numbers),
            "percentiles": dict(zip(map(str, percents), np.percentile(numbers, percents).tolist())),
        },
        "sorted": np.sort(a.ravel()).tolist(),
    }
    json.dump(answers, sys.stdout, default=float)
    sys.stdout.write("\n")


main()
