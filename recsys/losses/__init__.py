"""Contrastive losses as pure functions of tensors: they own no parameter, and the temperature is passed in.

Torch alone.
"""
