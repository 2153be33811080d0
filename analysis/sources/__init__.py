"""Sources: where numbers come from. Rows of runs, CSV and Parquet files are asked for columns and sums in one way.

`rows.open_rows` opens them; what is asked is answered by DuckDB in bounded memory, so records need not fit in it.
"""
