"""Runs: from a scenario to what it leaves, and what can be said of it before."""
