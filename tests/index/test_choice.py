from typing import get_args

import pytest

from recsys.index.choice import BACKENDS
from recsys.index.exact import ExactIndex
from recsys.index.facts import BackendName
from recsys.index.nearest import recall_against

K = 10


def test_every_name_has_a_backend() -> None:
    assert set(get_args(BackendName)) == set(BACKENDS)


@pytest.mark.parametrize("name", BACKENDS)
def test_every_form_is_built_opened_and_finds_more_the_further_it_looks(name, tmp_path, unit_vectors):
    backend, items, queries = BACKENDS[name], unit_vectors(2000, 16), unit_vectors(40, 16, seed=1)
    if not backend.is_available():
        pytest.skip(f"{name} is not installed")
    exact = ExactIndex(items).search(queries, k=K)
    for form in backend.forms[:2]:
        path = tmp_path / form
        backend.build(path, items, form=form, seed=0)
        least = backend.least_effort(form, K)
        near, far = (
            recall_against(backend.open(path, items, form=form, effort=effort, tuned_k=K).search(queries, k=K), exact)
            for effort in (least, 200 * least)
        )
        assert near < far
        assert far > 0.9
