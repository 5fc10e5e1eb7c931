import numpy as np
import pytest

from recsys.core.errors import ArtefactError, IndexQualityError
from recsys.core.files import read_json, write_array
from recsys.index.choice import BACKENDS
from recsys.index.exact import ExactIndex
from recsys.index.facts import read_index_facts
from recsys.index.overfetch import Overfetch
from recsys.index.published import build_index, open_index


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


@pytest.mark.parametrize(("backend", "kind"), [("annoy", Overfetch), ("exact", ExactIndex)])
def test_an_index_opens_with_the_backend_it_was_built_for(tmp_path, vectors_path, build, backend, kind):
    build(backend)
    assert isinstance(open_index(tmp_path / "index", vectors_path), kind)


@pytest.mark.parametrize("backend", ["annoy", "exact"])
def test_what_is_returned_is_what_is_on_file_and_names_the_recall(tmp_path, build, backend):
    about = build(backend)
    assert read_index_facts(tmp_path / "index") == about
    assert about.recall >= 0.9
    assert about.n_items == 200


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
    assert build("annoy", k=1000).k == 200


def test_auto_searches_small_catalogues_exactly_and_says_why(tmp_path, build):
    about = build("auto")
    assert about.backend == "exact"
    assert "no index finds lists sooner" in about.why
    assert sorted(path.name for path in (tmp_path / "index").iterdir()) == ["index.json"]


def test_auto_measures_all_that_is_installed_on_large_catalogues(tmp_path, vectors_path, build):
    about = build("auto", exact_up_to=100)
    curve = read_json(tmp_path / "index" / "curve.json")
    installed = {name for name, backend in BACKENDS.items() if backend.is_available()}
    assert {point["backend"] for point in curve} == {"exact", *installed}
    assert about.queries_per_second == max(point["queries_per_second"] for point in curve if point["recall"] >= 0.9)
    assert "queries/s at recall@10" in about.why
    open_index(tmp_path / "index", vectors_path)


def test_the_curve_is_kept_beside_the_index(tmp_path, build):
    about = build("annoy")
    curve = read_json(tmp_path / "index" / "curve.json")
    chosen = {name: getattr(about, name) for name in ("backend", "build", "effort", "k", "recall", "queries_per_second")}
    assert chosen in curve


def test_a_damaged_index_file_is_refused(tmp_path, vectors_path, build):
    build("annoy")
    with (tmp_path / "index" / "items.index").open("ab") as handle:
        handle.write(b"more")
    with pytest.raises(IndexQualityError, match=r"must be the file that index.json names"):
        open_index(tmp_path / "index", vectors_path)


@pytest.mark.parametrize("backend", ["annoy", "exact"])
def test_an_index_for_another_score_is_refused(tmp_path, vectors_path, build, unit_vectors, backend):
    write_array(vectors_path, 2 * unit_vectors(200, 8))
    build(backend, score="dot")
    open_index(tmp_path / "index", vectors_path, score="dot")
    with pytest.raises(IndexQualityError, match="must rank by cosine, as the model was trained, got an index for dot"):
        open_index(tmp_path / "index", vectors_path)


def test_a_missing_index_says_so(tmp_path, vectors_path):
    with pytest.raises(ArtefactError, match="must exist"):
        open_index(tmp_path / "nothing", vectors_path)


@pytest.mark.slow
def test_items_that_came_after_the_build_are_found_beside_the_index_and_in_it_after_the_next(
    tmp_path, vectors_path, build, unit_vectors
):
    added, folder = unit_vectors(9, 8, seed=7), tmp_path / "index"
    build("annoy", target_recall=1.0)
    for n_built in (0, 5, 9):
        if n_built:
            build("annoy", target_recall=1.0, added=added[:n_built])
        assert read_json(folder / "index.json")["n_items"] == 200 + n_built
        found = open_index(folder, vectors_path, added=added).search(added, k=1)
        assert found.item_idx[:, 0].tolist() == list(range(200, 209))
    for others in (added[:3], added[::-1]):
        with pytest.raises(IndexQualityError, match="must find the 9 added items that it was built with, got"):
            open_index(folder, vectors_path, added=others)
