"""What `make bench` runs: one file a bar, each of which yields results; `run.py` writes them and prints the table.

Both sides of a comparison start in fresh processes: ours from `ours/`, another library's from `peers/`, inside an environment
of its own with the pins of `peers/<name>.txt`. So nothing here imports a peer, and torch is imported in `ours/` alone.
"""
