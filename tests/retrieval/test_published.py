import numpy as np
import pytest

from recsys.core.errors import ArtefactError, IndexQualityError
from recsys.core.files import read_json, write_array
from recsys.retrieval.annoy import AnnoyBackend
from recsys.retrieval.exact import ExactIndex
from recsys.retrieval.published import build_index, open_index


@pytest.fixture
def vectors_path(tmp_path, unit_vectors):
    write_array(tmp_path / "embed" / "items.npy", unit_vectors(200, 8))
    return tmp_path / "embed" / "items.npy"


@pytest.fixture
def build(tmp_path, vectors_path, unit_vectors):
    def run(backend, **changes):
        plain = {"k": 10, "target_recall": 0.9, "n_queries": 30, "seed": 0}
        return build_index(tmp_path / "index", vectors_path, unit_vectors(50, 8, seed=1), backend=backend, **(plain | changes))

    return run


@pytest.mark.parametrize(("backend", "kind"), [("annoy", AnnoyBackend), ("exact", ExactIndex)])
def test_an_index_opens_with_the_backend_it_was_built_for(tmp_path, vectors_path, build, backend, kind):
    build(backend)
    assert isinstance(open_index(tmp_path / "index", vectors_path), kind)


@pytest.mark.parametrize("backend", ["annoy", "exact"])
def test_what_is_returned_is_what_is_on_file_and_names_the_recall(tmp_path, build, backend):
    about = build(backend)
    assert read_json(tmp_path / "index" / "index.json") == about
    assert about["recall"] >= 0.9
    assert about["n_items"] == 200


@pytest.mark.parametrize("backend", ["annoy", "exact"])
def test_other_vectors_are_refused(tmp_path, vectors_path, build, unit_vectors, backend):
    build(backend)
    write_array(vectors_path, unit_vectors(200, 8, seed=5))
    with pytest.raises(IndexQualityError, match="run the stage index again"):
        open_index(tmp_path / "index", vectors_path)


def test_an_open_index_finds_an_item_by_its_own_vector(tmp_path, vectors_path, build):
    build("annoy", target_recall=1.0)
    vectors = np.load(vectors_path)
    found = open_index(tmp_path / "index", vectors_path).search(vectors, k=1)
    assert (found.item_idx[:, 0] == np.arange(200)).mean() > 0.99


@pytest.mark.parametrize("backend", ["annoy", "exact"])
def test_vectors_that_are_not_of_length_1_are_refused(vectors_path, build, unit_vectors, backend):
    write_array(vectors_path, 2 * unit_vectors(200, 8))
    with pytest.raises(IndexQualityError, match="length 1"):
        build(backend)


def test_a_list_length_beyond_the_catalogue_is_measured_at_the_catalogue(build):
    assert build("annoy", k=1000)["k"] == 200


def test_the_same_seed_gives_the_same_bytes(tmp_path, build):
    first = build("annoy"), (tmp_path / "index" / "items.annoy").read_bytes()
    assert (build("annoy"), (tmp_path / "index" / "items.annoy").read_bytes()) == first


def test_a_missing_index_says_so(tmp_path, vectors_path):
    with pytest.raises(ArtefactError, match="must exist"):
        open_index(tmp_path / "nothing", vectors_path)
