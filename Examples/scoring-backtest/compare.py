#!/usr/bin/env python3
"""compare.py CRM.sqlite: scikit-learn's logistic regression on the leads, columns and folds of `trellis scoring fit`.

Needs scikit-learn. The folds are dealt as Trellis deals them (SplitMix64, seed 7, leads in the order of their ids), texts
become a column per value, numbers are used as they are and as their logarithm, and what is not known has a column of its own.
"""
import sqlite3
import sys

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

TEXTS = ["country", "city", "source", "lead_origin", "specialization", "occupation", "motive", "heard_from",
         "do_not_email", "do_not_call", "guide_wanted", "searched"]
NUMBERS = ["total_visits", "time_on_site", "pages_per_visit"]
MASK = (1 << 64) - 1


def draws(seed):
    """The numbers of SplitMix64."""
    while True:
        seed = (seed + 0x9E3779B97F4A7C15) & MASK
        mixed = seed
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & MASK
        yield mixed ^ (mixed >> 31)


def folds(converted, count=5, seed=7):
    """The group of each lead."""
    random = draws(seed)
    group = np.zeros(len(converted), dtype=int)
    for outcome in (1, 0):
        members = [i for i, value in enumerate(converted) if value == outcome]
        order = list(range(len(members)))
        for last in range(len(order) - 1, 0, -1):
            other = next(random) % (last + 1)
            order[last], order[other] = order[other], order[last]
        for place, drawn in enumerate(order):
            group[members[drawn]] = place % count
    return group


def areas(database, outcome, texts, numbers):
    """How many leads and columns there are, and the AUC of each fold."""
    crm = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    names = "".join(f', "{name}"' for name in texts + numbers)
    rows = crm.execute(f'SELECT "{outcome}"{names} FROM leads WHERE "{outcome}" IS NOT NULL ORDER BY id').fetchall()
    y = np.array([int(row[0]) for row in rows])
    columns = []
    for place in range(1, 1 + len(texts)):
        values = sorted({row[place] for row in rows}, key=str)
        columns += [[float(row[place] == value) for row in rows] for value in values]
    for place in range(1 + len(texts), 1 + len(texts) + len(numbers)):
        known = [row[place] for row in rows if row[place] is not None]
        middle = float(np.median(known))
        filled = np.array([middle if row[place] is None else float(row[place]) for row in rows])
        columns += [filled, np.sign(filled) * np.log1p(np.abs(filled)), [float(row[place] is None) for row in rows]]
    X = np.array(columns).T
    group = folds(y)
    found = []
    for number in range(5):
        model = make_pipeline(StandardScaler(), LogisticRegression(C=1, max_iter=5000))
        model.fit(X[group != number], y[group != number])
        found.append(roc_auc_score(y[group == number], model.predict_proba(X[group == number])[:, 1]))
    return len(y), X.shape[1], found


def main():
    leads, columns, found = areas(sys.argv[1], "converted", TEXTS, NUMBERS)
    print(f"{leads} leads, {columns} columns")
    print(f"scikit-learn: AUC by fold {', '.join(f'{area:.4f}' for area in found)}; mean {np.mean(found):.4f}")


if __name__ == "__main__":
    main()
