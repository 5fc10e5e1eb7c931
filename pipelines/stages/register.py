"""register: the whole run to MLflow: runs, metrics, artifacts, and a gated model version that was loaded back and asked."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import polars as pl

from pipelines.graph import NAMES
from pipelines.settings.register import RegisterSettings
from pipelines.stages.stage import Stage, StageRun
from recsys.candidates.facts import RetrieveFacts
from recsys.core.code import hash_code
from recsys.core.columns import ITEM_ID, RANK, USER_ID
from recsys.core.errors import ArtefactError
from recsys.core.facts import as_table
from recsys.core.files import MANIFEST, read_json, write_json
from recsys.evaluation.facts import EvaluateFacts

_MODEL_PARTS = {
    "pairs": "pairs",
    "embed": "embed",
    "index": "index",
    "search": "retrieve/search",
    "weights": "train/model.safetensors",
    "spec": "train/spec.json",
}
_CHECKED_USERS = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterFacts:
    """Where the model is in MLflow: `registered.json`.

    Attributes:
        experiment_id: Of MLflow.
        run_id: The parent run.
        model: The registered model's name.
        version: Of it.
        alias: What that version is called now.
        gate: Whether it earned to be champion.
        lineage: The hash of all that it was made from.
    """

    experiment_id: str
    run_id: str
    model: str
    version: str
    alias: str
    gate: Literal["passed", "failed"]
    lineage: str


def work(stage: StageRun[RegisterSettings]) -> RegisterFacts:
    """Log all stages under one parent run, register the model, check it, and move the alias if it earned it."""
    from pipelines.tracking import registry
    from pipelines.tracking import runs as tracking

    folders = {name: stage.read(name) for name in NAMES if name != stage.name}
    manifests = {name: read_json(folder / MANIFEST) for name, folder in folders.items()}
    lineage = hashlib.sha256(
        json.dumps([stage.inputs, hash_code("recsys", "pipelines.stages", "pipelines.tracking")], sort_keys=True).encode()
    ).hexdigest()
    name = stage.settings.model_name or stage.run.name
    experiment_id = tracking.connect(stage.run.parent, stage.settings.experiment or stage.run.name)
    run_id, version = tracking.find_finished_run(experiment_id, lineage), registry.find_version(name, lineage)
    comparisons = read_json(folders["evaluate"] / "comparisons.json")
    if run_id is None or version is None:
        with tracking.parent_run(experiment_id, name=stage.run.name, lineage=lineage) as run_id:
            _log(run_id, folders, manifests, model=stage.facts_of("evaluate", EvaluateFacts).model)
            tags = {"run_id": run_id, "verdict": comparisons["verdict"]}
            version = version or registry.register_version(
                name,
                {part: stage.run / path for part, path in _MODEL_PARTS.items()},
                lineage=lineage,
                versions=manifests["train"]["versions"],
                tags=tags,
            )
            _check_answers(
                name, version, folders["retrieve"] / "candidates.parquet", k=stage.facts_of("retrieve", RetrieveFacts).k
            )
    is_passed = bool(comparisons["is_proved"])
    alias = registry.pass_gate(name, version, is_passed=is_passed, reason=comparisons["verdict"])
    facts = RegisterFacts(
        experiment_id=experiment_id,
        run_id=run_id,
        model=name,
        version=version,
        alias=alias,
        gate="passed" if is_passed else "failed",
        lineage=lineage,
    )
    write_json(stage.folder / "registered.json", as_table(facts))
    stage.say(f"model '{name}' version {version} is {alias}; gate {facts.gate}: {comparisons['verdict']}")
    return facts


def _log(run_id: str, folders: dict[str, Path], manifests: dict[str, dict[str, Any]], *, model: str) -> None:
    from pipelines.tracking import runs as tracking

    nested = {name: tracking.log_stage(run_id, manifest) for name, manifest in manifests.items()}
    tracking.log_epochs(nested["train"], pl.read_parquet(folders["train"] / "epochs.parquet"))
    rows = read_json(folders["evaluate"] / "metrics.json")
    for each in (run_id, nested["evaluate"]):
        tracking.log_results(each, rows, model=model)
    outputs = manifests["split"]["outputs"]
    tracking.log_dataset(folders["split"] / "train.parquet", name="train", digest=outputs["train.parquet"])
    evaluate = folders["evaluate"]
    tracking.log_files(
        [
            evaluate / "report.html",
            evaluate / "metrics.json",
            folders["retrieve"] / "candidates.parquet",
            folders["index"] / "index.json",
        ]
    )


def _check_answers(name: str, version: str, candidates: Path, *, k: int) -> None:
    """Load the version back: for some users it must answer what the candidates file holds.

    Raises:
        ArtefactError: An answer differs.
    """
    from pipelines.tracking import registry

    table = pl.scan_parquet(candidates)
    users = table.select(pl.col(USER_ID).unique().sort()).collect()[USER_ID]
    chosen = users.gather_every(max(1, len(users) // _CHECKED_USERS)).to_list()
    expected = table.filter(pl.col(USER_ID).is_in(chosen)).sort(USER_ID, RANK).collect()
    answer = registry.recommend_from_registry(name, version, chosen, k=k).sort(USER_ID, RANK)
    if expected[ITEM_ID].to_list() != answer[ITEM_ID].to_list():
        raise ArtefactError(
            f"register: version {version} of '{name}' must answer what candidates.parquet holds for {len(chosen)} users, "
            "got other items; report this as a bug"
        )


STAGE = Stage(name="register", read=RegisterSettings.model_validate, work=work)

if __name__ == "__main__":
    STAGE.main()
