"""What the simulator costs, beside other ways of writing the same program; `python -m benchmarks.engine`."""
