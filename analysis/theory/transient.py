"""M/M/1 on its way to the steady state: what the first customers wait on average, who find a queue that is not typical.

Exact but for rounding: the number that each customer finds is a Markov chain, and its law is passed on from one to the
next (as in Kelton and Law, Operations Research 33, 1985).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from . import arguments

Floats = NDArray[np.float64]

_NEGLIGIBLE = 1e-16


def mm1_mean_waits(arrival_rate: float, service_rate: float, jobs: int, customers: int) -> Floats:
    """Mean waits, s, of the first customers, of whom the first finds `jobs` others; rates in 1/s.

    UnstableError at a load of 1 or more, ValueError for what are no rates or numbers.
    """
    from scipy.signal import lfilter  # type: ignore[import-untyped]

    arguments.positive(arrival_rate=arrival_rate, service_rate=service_rate)
    arguments.not_negative(jobs=jobs)
    arguments.at_least(1, customers=customers)
    load = arrival_rate / service_rate
    arguments.stable(load)
    most = jobs + math.ceil(math.log(_NEGLIGIBLE) / math.log(load)) + 1
    numbers = np.arange(most + 1)
    found = np.zeros(most + 1)
    found[jobs] = 1.0
    leaves_first = service_rate / (arrival_rate + service_rate)
    waits_s = np.empty(customers)
    for customer in range(customers):
        waits_s[customer] = numbers @ found / service_rate
        there = np.append(0.0, found[:-1])  # with the newcomer
        there[-1] += found[-1]
        at_least = lfilter([1.0], [1.0, -leaves_first], there[::-1])[::-1]
        found = np.append(at_least[0], (1 - leaves_first) * at_least[1:])
    return waits_s
