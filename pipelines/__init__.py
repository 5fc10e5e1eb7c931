"""Thin commands around the library: stages, settings, the console command, MLflow, experiments and benchmarks.

The graph of stages is in `graph.py`; every setting is in `settings/`; values are in one TOML file a profile.
"""
