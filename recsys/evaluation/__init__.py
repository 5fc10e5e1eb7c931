"""From candidate tables to metrics with intervals and a report.

It cannot see torch, so it cannot favour the model over the baselines.
"""
