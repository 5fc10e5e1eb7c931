"""What a training step minimises, one file a term: what it draws, its loss, its state, its words and its settings.

`objective.py` adds the terms up and names them all. Torch and numpy alone; imports models, losses, augmentation and sampling.
"""
