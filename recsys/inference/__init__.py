"""From weights to vectors: items, users, texts and histories encoded, and scores explained.

Torch and numpy alone; what is trained is in the rooms above.
"""
