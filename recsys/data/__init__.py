"""Raw logs to clean tables.

Every source ends in the same `RawTables`; cleaning happens once, in `interactions.py`. Imports core; uses polars.
"""
