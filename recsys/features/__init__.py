"""What the towers read: histories as flat arrays, item and user attributes, text vectors; all fitted on train only.

Imports data and core.
"""
