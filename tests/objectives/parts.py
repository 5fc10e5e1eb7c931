"""What tests of terms need of a step."""

from dataclasses import replace

import torch

from recsys.objectives.encoded_items import encode_items
from recsys.objectives.term import Part
from recsys.objectives.workers import Workers


def all_items(model):
    return encode_items(model, None, device=torch.device("cpu"))


def part_of(model, batch, draw):
    given = {"n_rows": draw.n_rows, "n_targets": draw.n_targets, "workers": Workers()}
    return Part(model=model, batch=batch, items=all_items(model), **given)


def without(draw, *names):
    """A draw in which some terms drew nothing."""
    return replace(draw, terms={name: drawn for name, drawn in draw.terms.items() if name not in names})


def targets_of(model, batch):
    """User vectors of every event with a target, one at a time, and the targets."""
    users, targets = [], []
    for row in range(len(batch.user_idx)):
        for step in range(int(batch.length[row])):
            part = slice(0, step + 1)
            history = model.item_tower(batch.item_idx[row, part])[None]
            is_wanted = torch.arange(step + 1)[None] == step
            users.append(
                model.encode_prefixes(
                    history,
                    gap=batch.gap[row : row + 1, part],
                    request_gap=batch.request_gap[row : row + 1, part],
                    user_idx=batch.user_idx[row : row + 1],
                    is_wanted=is_wanted,
                )
            )
            targets.append(int(batch.target_idx[row, step]))
    return torch.cat(users), torch.tensor(targets)
