"""Which parameters are updated how: decay by group, and row by row for the item table of a large catalogue."""

import torch
from torch import nn

from recsys.models.temperature import limit_log_scales
from recsys.models.two_tower import TwoTower
from recsys.training.rowwise_adam import RowwiseAdam
from recsys.training.settings import LoopSettings

_BETAS = (0.9, 0.98)


def build_optimizers(model: TwoTower, settings: LoopSettings, *, row_by_row: bool) -> list[torch.optim.Optimizer]:
    """AdamW for everything, or for everything but the item ids, which then get sparse gradients and `RowwiseAdam`.

    Weight decay is for the matrices of layers; tables, norms, biases and the temperature have none. After each step
    the temperatures are brought back to their limit.

    Args:
        model: Both towers.
        settings: Rate and decay.
        row_by_row: Whether the item ids are updated row by row.
    """
    ids = model.item_tower.ids
    ids.sparse = row_by_row
    tables = {id(module.weight) for module in model.modules() if isinstance(module, nn.Embedding)}
    rest = [p for p in model.parameters() if p.requires_grad and not (row_by_row and p is ids.weight)]
    matrices = [p for p in rest if p.ndim > 1 and id(p) not in tables]
    others = [p for p in rest if p.ndim < 2 or id(p) in tables]
    groups = [{"params": matrices, "weight_decay": settings.weight_decay}, {"params": others, "weight_decay": 0.0}]
    adam = torch.optim.AdamW(groups, lr=settings.learning_rate, betas=_BETAS, fused=True)
    adam.register_step_post_hook(lambda *_: limit_log_scales(model))
    if not row_by_row:
        return [adam]
    return [adam, RowwiseAdam([ids.weight], rate=settings.learning_rate, decay=_BETAS[1])]


def clip_gradients(model: nn.Module, *, norm: float) -> float:
    """Scale all gradients down to one norm together; of a sparse one, its rows count.

    Returns:
        The norm before; if it is no finite number, no step should be taken. 0 where no parameter has a gradient, as in a step
        without a target.
    """
    values = []
    for parameter in model.parameters():
        if parameter.grad is None:
            continue
        if parameter.grad.is_sparse:
            parameter.grad = parameter.grad.coalesce()
        values.append(parameter.grad._values() if parameter.grad.is_sparse else parameter.grad)
    if not values:
        return 0.0
    total = nn.utils.get_total_norm(values)  # ()
    factor = (norm / (total + 1e-6)).clamp(max=1.0)  # ()
    torch._foreach_mul_(values, factor)
    return float(total)
