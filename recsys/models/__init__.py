"""The two towers.

Torch and numpy alone (weights as safetensors), so a bare GPU machine can train. Losses are elsewhere and take
tensors.
"""
