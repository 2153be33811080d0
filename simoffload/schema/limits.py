"""Limits: how large or small the numbers of a scenario may be, and why, in one place.

What is within them may take long, but it goes on and can be stopped: no list is made as long as a number in the file
says, no clock stands still because what is added to it is lost in rounding, and no event draws random numbers without
end. What many numbers come to together is looked at in `extent`.
"""

from __future__ import annotations

SHORTEST_S = 1e-3
"""What comes again and again of itself does so once in this time at most: reports, sojourns, fading, spells.

Links see each change of their channel, however short; and 1 ms is far above the rounding of a clock at `LONGEST_RUN_S`.
"""
LONGEST_RUN_S = 1e10
"""300 years, beyond which a clock in floats has no microseconds; the largest time that a file may name, too."""
HIGHEST_RATE_PER_S = 1e6
"""Arrivals at a node, where one is simulated in some 100 us."""
MOST_HAPPENINGS = 1e11
"""Of things that come of themselves, in a whole run; at a million a second they take a day."""
MOST_AHEAD = 1e7
"""Changes of a channel, or phases of arrivals, from one arrival to the next or within a transfer: drawn in one go."""
MOST_AT_ONCE = 100_000
"""Servers of a node, requests of a batch, streams of an API."""
MOST_TOKENS = 10_000_000
"""Of a prompt, of a payload, of an answer; rows have 32 bits for what all of them come to."""
MOST_COPIES = 1000
"""Carriers of a link."""
MOST_STATES = 64
"""States of a chain; finding how often each is visited takes their number to the third power."""
LEAST_SHARE = 1e-6
"""Of tasks whose rows are kept."""
COARSEST_S = 1e-6
"""Of the times in rows; with more, what is short would be gone."""
MOST_WORKLOADS = 1000
MOST_SOURCES = 100_000
"""Of tasks: homes, of all workloads together; each has a dozen random generators."""
MOST_SUBTASKS_OF_A_KIND = 200
MOST_LAWS = 10_000
"""Of the catalogue of a scenario; each is looked at for each node."""
LEAST_FACTOR, LARGEST_FACTOR = 1e-6, 1e6
"""By which something goes faster than it would."""
LARGEST_CV = 100.0
"""Of the times between arrivals: beyond it nearly all of them are 0."""
MOST_IN_SYSTEM = 1_000_000
"""Subtasks of tasks that have come and not gone, and transfers that wait; a run with more ends as unstable. They take
1 to 2 GB."""
