import pickle

import numpy as np
import pytest

from recsys.candidates.candidate_search import SearchPlan, open_search
from recsys.candidates.part_worker import Job, PartWorker
from recsys.candidates.parts import Parts
from recsys.core.files import write_array
from recsys.index.exact import ExactIndex
from recsys.index.published import build_index


@pytest.fixture
def job_of(tmp_path, unit_vectors):
    """Folders of a small run, and a job over some of its users or items."""
    items, users = unit_vectors(40, 8), unit_vectors(12, 8, seed=1)
    write_array(tmp_path / "embed" / "items.npy", items)
    write_array(tmp_path / "embed" / "users.npy", users)
    write_array(tmp_path / "pairs" / "item_idx.npy", np.arange(36, dtype=np.int32))
    write_array(tmp_path / "pairs" / "offsets.npy", np.arange(0, 37, 3))
    numbers = {"k": 5, "target_recall": 1.0, "n_queries": 12, "seed": 0}
    build_index(tmp_path / "index", tmp_path / "embed" / "items.npy", users, backend="exact", **numbers)
    SearchPlan().write(tmp_path / "plan")

    def build(kind, rows):
        write_array(tmp_path / f"{kind}.npy", np.array(rows))
        folders = {name: tmp_path / name for name in ("pairs", "embed", "index", "plan")}
        parts = Parts(folder=tmp_path / "parts" / kind, n_rows=len(rows), part_rows=3, k=5)
        return Job(kind=kind, parts=parts, rows=tmp_path / f"{kind}.npy", **folders), folders, items

    return build


def test_parts_of_users_hold_what_the_search_answers(job_of):
    job, folders, _ = job_of("users", [1, 4, 5, 9, 11])
    worker = PartWorker(job)
    for part in (1, 0):
        worker.do(part)
    answer = open_search(**folders).answer(np.array([1, 4, 5, 9, 11]), k=5)
    found = np.concatenate([part.lists.item_idx for _, part in job.parts.read_all()])
    assert found.tolist() == answer.lists.item_idx.tolist()


def test_parts_of_items_hold_their_neighbours_without_themselves(job_of):
    job, _, items = job_of("items", range(40))
    worker = PartWorker(job)
    for part in job.parts.missing():
        worker.do(part)
    found = np.concatenate([part.lists.item_idx for _, part in job.parts.read_all()])
    nearest = ExactIndex(items).search(items, k=6).item_idx
    assert found.tolist() == [[item for item in row if item != position][:5] for position, row in enumerate(nearest.tolist())]


def test_a_job_can_be_sent_to_another_process(job_of):
    job, _, _ = job_of("users", [1])
    assert pickle.dumps(job)


def test_neighbours_are_allowed_items_too(job_of, tmp_path):
    job, _, _ = job_of("items", range(40))
    allowed = np.arange(40) % 3 > 0
    SearchPlan(allowed=allowed).write(tmp_path / "plan")
    worker = PartWorker(job)
    for part in job.parts.missing():
        worker.do(part)
    found = np.concatenate([part.lists.item_idx for _, part in job.parts.read_all()])
    assert allowed[found].all()
    assert (found >= 0).all()
