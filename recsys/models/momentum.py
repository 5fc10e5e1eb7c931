"""Slow copies of the towers, whose vectors stay comparable over many steps."""

import copy

import torch

from recsys.models.two_tower import TwoTower


class MomentumTowers:
    """Follows a model's parameters as an exponential moving average; it is never trained and drops nothing out.

    Args:
        model: Both towers.
        momentum: Share of the copy that stays in each step, in [0, 1).
        shares_ids: The table of item ids is the model's own: following each of its rows would cost more than a step.

    Source: He et al., "MoCo", arXiv:1911.05722, eq. 2.
    """

    def __init__(self, model: TwoTower, *, momentum: float, shares_ids: bool) -> None:
        self.momentum = momentum
        ids = model.item_tower.ids
        memo: dict[int, object] = {id(buffer): buffer for buffer in model.buffers()}
        if shares_ids:
            memo[id(ids)] = ids
        self.towers = copy.deepcopy(model, memo)
        self.towers.eval()
        shared = {id(ids.weight)} if shares_ids else set()
        self._names = [name for name, p in self.towers.named_parameters() if id(p) not in shared]
        for name in self._names:
            self.towers.get_parameter(name).requires_grad_(False)

    @torch.no_grad()
    def follow(self, model: TwoTower) -> None:
        """Take one step towards the model's weights."""
        own: list[torch.Tensor] = [self.towers.get_parameter(name) for name in self._names]
        theirs = [model.get_parameter(name).detach() for name in self._names]
        torch._foreach_lerp_(own, theirs, 1 - self.momentum)

    def state(self) -> dict[str, torch.Tensor]:
        """What a checkpoint needs to hold."""
        return {name: self.towers.get_parameter(name).detach() for name in self._names}

    @torch.no_grad()
    def restore(self, state: dict[str, torch.Tensor]) -> None:
        """Go on from a state."""
        for name in self._names:
            self.towers.get_parameter(name).copy_(state[name])
