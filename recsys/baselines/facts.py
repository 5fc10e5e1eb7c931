"""What the stage `baselines` tells of them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselinesFacts:
    """Which baselines there are.

    Attributes:
        n_users: Users with lists.
        k: Length of the lists.
        skipped: Baselines that are left out since the catalogue is too large for them.
    """

    n_users: int
    k: int
    skipped: list[str]
