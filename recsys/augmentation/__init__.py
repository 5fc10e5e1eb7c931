"""Augmented views of histories, for contrast without labels: crop, mask, reorder, substitute, insert.

Torch and numpy alone; imports sampling and core. Each operator maps `Sequences` to `Sequences`, draws from the generator it is
given, and leaves at least one real item; what is similar is fitted on train only.
"""
