"""The smart factory as a SimPy program, written with processes, resources and joins, beside the simulator.

Both draw the same tasks and channels, and make the same decisions; what they must agree on is when each subtask ends.
"""
