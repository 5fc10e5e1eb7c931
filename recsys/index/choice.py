"""The approximate indexes by name. Neither package is imported before it is used: exact search needs none."""

from collections.abc import Mapping

from recsys.index import annoy, faiss
from recsys.index.backend import Backend
from recsys.index.facts import BackendName

BACKENDS: Mapping[BackendName, Backend] = {"annoy": annoy.BACKEND, "faiss": faiss.BACKEND}
