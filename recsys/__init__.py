"""A contrastive two-tower recommender as pure library code: no flags, no config files, no run tracking.

Rooms, from the ground up: core, data, splits | features, sampling, models | losses | metrics, retrieval,
training | evaluation | baselines, serving. A room imports only from rooms below it (the contracts are in
`pyproject.toml`). Tensors carry shape letters: B batch, U users, I items, D embedding, L history, K list, N negatives.
"""
