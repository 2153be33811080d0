"""Agents: rules, learners and static schedulers that decide where and when each subtask runs.

The simulator finds agents by the entry points of the group ``simoffload.agents``, so importing this package loads
none of them; each is in a module of its own.
"""
