"""Answers to single questions: of a finished run, or of a model in memory.

`answers.py` is what can be asked; `opened_run.py` asks a run folder. Batch work belongs to candidates.
"""
