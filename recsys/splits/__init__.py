"""Who is in train, validation and test.

Each protocol is one function, and `leakage.py` proves what it promises. Imports data and core.
"""
