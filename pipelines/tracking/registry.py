"""The MLflow model registry: a version with its lineage, a gate, and the alias that it may carry."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mlflow
import polars as pl
from mlflow import MlflowClient
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, ParamSchema, ParamSpec, Schema

from pipelines.tracking.runs import LINEAGE_TAG

CHAMPION, CHALLENGER = "champion", "challenger"
_HERE = Path(__file__).parent
_SIGNATURE = ModelSignature(
    inputs=Schema([ColSpec("string", "user_id")]),
    outputs=Schema(
        [
            ColSpec("string", "user_id"),
            ColSpec("string", "item_id"),
            ColSpec("integer", "rank"),
            ColSpec("float", "score"),
        ]
    ),
    params=ParamSchema([ParamSpec("k", "integer", 10)]),
)


def register_version(
    model_name: str, parts: Mapping[str, Path], *, lineage: str, versions: Mapping[str, str], tags: Mapping[str, str]
) -> str:
    """Log the model from code under the active run, and register it.

    Args:
        model_name: In the registry.
        parts: The files and folders of the run that it carries, by name.
        lineage: Hash of all manifests.
        versions: Package versions it was built with, for its requirements.
        tags: Put on the version.

    Returns:
        The version.
    """
    packages = ("torch", "polars", "numpy", "annoy", "faiss-cpu", "mlflow")
    requirements = [f"{name}=={versions[name].split('+')[0]}" for name in packages if name in versions] + [
        "safetensors",
        "pyarrow",
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        info = mlflow.pyfunc.log_model(
            name="retriever",
            python_model=str(_HERE / "served_model.py"),
            artifacts={name: str(path) for name, path in parts.items()},
            code_paths=[str(_HERE.parent.parent / "recsys")],
            signature=_SIGNATURE,
            pip_requirements=requirements,
            registered_model_name=model_name,
        )
    version, client = str(info.registered_model_version), MlflowClient()
    for name, value in (dict(tags) | {LINEAGE_TAG: lineage}).items():
        client.set_model_version_tag(model_name, version, name, value)
    return version


def find_version(model_name: str, lineage: str) -> str | None:
    """The version that already holds these very artefacts."""
    found = MlflowClient().search_model_versions(f"name = '{model_name}' and tags.`{LINEAGE_TAG}` = '{lineage}'")
    return str(found[0].version) if found else None


def pass_gate(model_name: str, version: str, *, is_passed: bool, reason: str) -> str:
    """Give the version its alias: `champion` if it passed, else `challenger`; the reason stays on it as tags.

    Returns:
        The alias.
    """
    client, alias = MlflowClient(), CHAMPION if is_passed else CHALLENGER
    client.set_model_version_tag(model_name, version, "gate", "passed" if is_passed else "failed")
    client.set_model_version_tag(model_name, version, "gate.reason", reason[:5000])
    client.set_registered_model_alias(model_name, alias, version)
    return alias


def recommend_from_registry(model_name: str, version: str, user_ids: list[str], *, k: int) -> pl.DataFrame:
    """Load a version back and ask it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model: Any = mlflow.pyfunc.load_model(f"models:/{model_name}/{version}")
        answer = model.predict([{"user_id": user} for user in user_ids], params={"k": k})
    return pl.DataFrame(answer.to_dict(orient="list"))
