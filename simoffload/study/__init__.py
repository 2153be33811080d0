"""Studies: a file that says what is trained and where it is measured, and what is left of it as tables and figures.

`reading` makes a study of a file, `running` does what is still to be done of it, `report` writes it down.
"""
