"""Seeds depend on the run's seed and the purpose, and on nothing else."""

import os
import subprocess
import sys

from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.core.random import rng_for, seed_for

_NAMES = st.lists(st.text(alphabet="abcxyz", min_size=1) | st.integers(), max_size=3)


@settings(deadline=None, max_examples=40)
@given(st.integers(), _NAMES)
def test_a_seed_is_a_63_bit_number(seed: int, names: list[str | int]) -> None:
    assert 0 <= seed_for(seed, *names) < 2**63


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["epoch", "init"]), st.integers(0, 5)), unique=True, min_size=2))
def test_other_seeds_and_other_purposes_give_other_numbers(keys: list[tuple[int, str, int]]) -> None:
    assert len({seed_for(*key) for key in keys}) == len(keys)


def test_the_numbers_stay_what_they_were_in_the_first_release() -> None:
    assert seed_for(0) == 3456079177858693020
    assert seed_for(7, "epoch", 3) == 4743521694803824384


def test_another_process_draws_the_same_seed_whatever_its_hash_seed() -> None:
    command = [sys.executable, "-c", "from recsys.core.random import seed_for; print(seed_for(1, 'negatives', 2))"]
    path = os.pathsep.join(sys.path)
    for hash_seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": path}
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        assert int(done.stdout) == seed_for(1, "negatives", 2)


def test_a_generator_repeats_itself_and_differs_by_purpose() -> None:
    first, again, other = (rng_for(3, name).integers(0, 2**60, 8).tolist() for name in ("a", "a", "b"))
    assert first == again
    assert first != other
