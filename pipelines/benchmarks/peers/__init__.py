"""The other side of the benchmarks: scripts that run in a peer's environment, as `python ... JOB RESULT`, both JSON.

They import the standard library, what `<peer>.txt` pins beside them, and nothing of ours.
"""
