"""The loop that joins towers, losses and batches: `fit` yields one record an epoch, saves it, and resumes exactly.

Torch and numpy alone.
"""
