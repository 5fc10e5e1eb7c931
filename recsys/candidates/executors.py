"""Who does the parts of a batch job: this process, or actors of Ray (the extra `[distributed]`) on one machine or many."""

import importlib.util
import logging
import os
from collections.abc import Callable
from typing import Any

from recsys.candidates.candidate_search import SearchPlan
from recsys.candidates.part_worker import Job, PartWorker
from recsys.core.errors import ArtefactError, ConfigError


def run_parts(job: Job, *, plan: SearchPlan, executor: str, n_actors: int, on_part: Callable[[int], None]) -> int:
    """Do the parts of a job that are not there yet.

    Args:
        job: The job; its folders must be seen by all actors under the same paths.
        plan: What the job's folder of the plan holds, for this process; actors read it.
        executor: `local` or `ray`.
        n_actors: Actors of Ray; each loads vectors and index once.
        on_part: Called with how many parts are there.

    Returns:
        How many parts were done now.

    Raises:
        ConfigError: Ray is asked for and not installed.
    """
    missing = job.parts.missing()
    n_there = len(job.parts) - len(missing)
    on_part(n_there)
    if missing and executor == "ray":
        _run_on_ray(job, missing, n_actors=n_actors, on_part=lambda: on_part(len(job.parts) - len(job.parts.missing())))
    elif missing:
        worker = PartWorker(job, plan=plan)
        for done, part in enumerate(missing, start=1):
            worker.do(part)
            on_part(n_there + done)
    return len(missing)


class _Actor:
    """A worker as Ray Data calls it: one block is the number of one part."""

    def __init__(self, job: Job, n_threads: int) -> None:
        import torch

        torch.set_num_threads(n_threads)
        self._worker = PartWorker(job)

    def __call__(self, block: dict[str, Any]) -> dict[str, Any]:
        for part in block["item"].tolist():
            self._worker.do(part)
        return block


def _run_on_ray(job: Job, missing: list[int], *, n_actors: int, on_part: Callable[[], None]) -> None:
    if importlib.util.find_spec("ray") is None:
        raise ConfigError(
            '[retrieve] executor: the package ray must be installed for "ray", got none; '
            "run pip install 'contrastive-recsys[distributed]' or set executor = \"local\""
        )
    import ray

    own = not ray.is_initialized()
    if own:
        ray.init(
            address=os.environ.get("RAY_ADDRESS"), include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR
        )
    try:
        resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
        cores = int(resources.get("CPU", 1))
        n_threads = max(1, cores // n_actors)
        blocks = ray.data.from_items(missing, override_num_blocks=len(missing)).map_batches(
            _Actor,
            fn_constructor_kwargs={"job": job, "n_threads": n_threads},
            concurrency=n_actors,
            batch_size=1,
        )
        for _ in blocks.iter_batches(batch_size=1, prefetch_batches=0):
            on_part()
    except ray.exceptions.RayError as error:
        last = str(error).strip().splitlines()[-1]
        raise ArtefactError(f"retrieve: all parts must be done by the actors of Ray, got: {last}; run again") from error
    finally:
        if own:
            ray.shutdown()
