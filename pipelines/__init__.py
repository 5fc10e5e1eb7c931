"""Thin commands: a stage reads folders, calls rooms of `recsys`, writes one folder, and knows no other stage.

The graph of stages is in the `Makefile`; every setting is in `config.py`; values are in one TOML file a profile.
"""
