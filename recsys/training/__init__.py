"""The loop that joins towers, objective and batches: `fit` yields one record an epoch, saves it, and resumes exactly.

Torch and numpy alone. `settings.py` gathers the settings of all rooms that a training reads.
"""
