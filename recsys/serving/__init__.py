"""A finished run opened for questions: one user, one item.

Batch work belongs to retrieval; this room answers single requests.
"""
