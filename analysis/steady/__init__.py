"""Steady state of a long run: what its mean or a quantile is, how sure that is, and where nothing honest can be said.

Successive outcomes of a queue depend on one another, so `std / sqrt(n)` is wrong by a factor that nobody sees, and no
function here computes it. Each takes a plain array, in the order of time, of any simulator's output.
"""
