"""Ranking metrics as functions of a hit matrix (U, K), and catalogue metrics as functions of item counts.

Numpy alone.
"""
