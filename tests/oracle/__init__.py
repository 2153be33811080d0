"""The oracle: the world's rules written a second time, plainly and slowly, to compare the engine with.

Nothing here imports the engine. The oracle is given the drawn tasks, the scenario, where and with what priority every
subtask goes, and the rate path of every link; it answers with every time, cost and energy of the run.
"""
