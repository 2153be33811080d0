"""Behaviour: what happened in a system and why, from the instants and values that its records hold.

Functions take plain arrays, of any simulator's output; those that take a `Run` read the arrays from its directory.
"""
