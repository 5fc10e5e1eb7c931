"""What a training step sees: popularity (log-Q), negatives, length-bucketed batches.

`batches` and `negatives` know torch or numpy alone.
"""
