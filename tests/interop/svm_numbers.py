"""Trains scikit-learn's machines on rows from standard input and prints how far their decisions are from ours.

Each line of the input is `kernel cost gamma degree shift`, then one line `class decision sample sample ...` a row, and an
empty line at the end. Classes are 1 and -1.
"""
import sys

from sklearn.svm import SVC


def compare(settings, rows):
    kernel, cost, gamma, degree, shift = settings.split()
    machine = SVC(
        kernel=kernel, C=float(cost), gamma=float(gamma), degree=int(degree), coef0=float(shift), tol=1e-9, max_iter=-1
    )
    samples = [row[2:] for row in rows]
    machine.fit(samples, [row[0] for row in rows])
    return max(abs(theirs - row[1]) for theirs, row in zip(machine.decision_function(samples), rows))


settings, rows = None, []
for line in sys.stdin:
    if not line.strip():
        print(compare(settings, rows))
        settings, rows = None, []
    elif settings is None:
        settings = line
    else:
        rows.append([float(number) for number in line.split()])
