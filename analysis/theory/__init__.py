"""Queueing theory: closed forms of stations, and what they say of the stations of a scenario or of a run.

A form is a frozen object with its parameters: `MMc(0.8, 1.0).means.wait_s`. `markovian` has M/M/1, M/M/c and M/M/c/K,
`mg1` M/G/1, M/D/1 and processor sharing, `gig1` bounds and approximations, `priority` classes, `jackson` networks,
`modulated` a pace that changes at random, `load_dependent` one that depends on how many are there, `fork_join` work
that is done when its last piece is. `nearest` finds the form for a station, `stations` and `measured` the stations.
"""
