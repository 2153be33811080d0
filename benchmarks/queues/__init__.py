"""M/M/c in several engines, one file each: `waits_s(load)` gives the wait of every job, in the order of arrival.

All of them draw gaps and service times from the same two streams, in blocks, so that they walk the same sample path:
where an engine keeps to the order of arrival, its waits are equal bit for bit to those of the others.
"""
