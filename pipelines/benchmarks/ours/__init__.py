"""Our own side of the benchmarks: modules that run in a fresh process, as `python -m ... JOB RESULT`, both JSON."""
