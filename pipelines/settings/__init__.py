"""What a profile may say: one file a table, every field with its unit, default and limits; `profile.py` puts them together.

Imports the library for defaults and limits, and no stage. The reference page in `docs/` is generated from here.
"""
