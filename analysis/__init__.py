"""Analysis: what the records of runs say, with intervals, pictures and reports.

`report` writes the pages that people read, `figures_*` and `gantt` draw the pictures, `intervals` says how sure a
number is, `runs` reads what runs and comparisons leave on disk. Importing this package loads none of them.
"""
