"""Approximate search by Faiss: a graph (HNSW) or inverted lists of 4-bit codes (IVF-PQ); needs the extra `[faiss]`."""

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recsys.core.errors import ConfigError, IndexQualityError
from recsys.core.files import write_atomically
from recsys.index.backend import Backend
from recsys.index.nearest import Vectors
from recsys.index.overfetch import Overfetch

_LINKS = 32
_BUILD_EFFORT = 120
_REFINED = 4
_TRAINED_PER_LIST = 64


def is_available() -> bool:
    """Whether the extra is installed."""
    return importlib.util.find_spec("faiss") is not None


def build_faiss(path: Path, vectors: Vectors, *, form: str, seed: int) -> None:
    """Build an index and write it, atomically.

    Args:
        path: The index file.
        vectors: Shape (I, D).
        form: `hnsw`, or `ivfpq` with about four times the square root of I lists and two dimensions a code.
        seed: Of the sample that inverted lists are trained on.

    Raises:
        ConfigError: Faiss is not installed.
    """
    faiss = _import()
    n_items, dim = vectors.shape
    contiguous = np.ascontiguousarray(vectors, np.float32)
    if form == "hnsw":
        index = faiss.IndexHNSWFlat(dim, _LINKS, faiss.METRIC_INNER_PRODUCT)
        index.hnsw.efConstruction = _BUILD_EFFORT
    else:
        n_lists = max(1, min(int(4 * n_items**0.5), n_items // 39))
        index = faiss.index_factory(dim, f"IVF{n_lists},PQ{max(1, dim // 2)}x4fs,RFlat", faiss.METRIC_INNER_PRODUCT)
        rng = np.random.default_rng(seed)
        sample = rng.choice(n_items, min(n_items, max(_TRAINED_PER_LIST * n_lists, 4096)), replace=False)
        index.train(contiguous[np.sort(sample)])
    index.add(contiguous)
    with write_atomically(path) as partial:
        faiss.write_index(index, str(partial))


def open_faiss(path: Path, vectors: Vectors, *, form: str, effort: int, tuned_k: int) -> Overfetch:
    """Open an index. Faiss uses all threads itself.

    Args:
        path: The index file.
        vectors: Shape (I, D), the vectors that it was built from.
        form: What it is.
        effort: Nodes kept in view (`hnsw`) or lists probed (`ivfpq`) for a list of `tuned_k`.
        tuned_k: The list length that `effort` was measured for; longer lists look further in proportion.

    Raises:
        ConfigError: Faiss is not installed.
        IndexQualityError: The file is no Faiss index of so many items.
    """
    faiss = _import()
    try:
        index = faiss.read_index(str(path))
    except RuntimeError:
        raise IndexQualityError(f"{path} must be a Faiss index, got another file or none; run the stage index") from None
    if index.ntotal != len(vectors):
        raise IndexQualityError(f"{path} must hold {len(vectors)} items, got {index.ntotal}; run the stage index again")

    def find(queries: Vectors, wanted: NDArray[np.int64]) -> NDArray[np.int32]:
        n = int(wanted.max(initial=1))
        further = max(effort, effort * n // tuned_k)
        if form == "hnsw":
            parameters: Any = faiss.SearchParametersHNSW(efSearch=max(further, n))
        else:
            lists = faiss.SearchParametersIVF(nprobe=further)
            parameters = faiss.IndexRefineSearchParameters(k_factor=_REFINED, base_index_params=lists)
        _, found = index.search(np.ascontiguousarray(queries, np.float32), n, params=parameters)
        return np.asarray(found, np.int32)

    return Overfetch(vectors, find)


def _import() -> Any:
    if not is_available():
        raise ConfigError(
            '[index] backend: the package faiss-cpu must be installed for "faiss", got none; '
            "run pip install 'contrastive-recsys[faiss]' or set another backend"
        )
    import faiss

    return faiss


BACKEND = Backend(
    forms=("hnsw", "ivfpq"),
    build=build_faiss,
    open=open_faiss,
    least_effort=lambda form, k: 1 if form == "ivfpq" else k,
    is_available=is_available,
)
