"""The ground floor: column names, error types, seeds, atomic files, the lock on a run folder.

Imports no other room.
"""
