"""Which stage reads which, once: make's rules, `recsys run`, `verify` and the tests all come from here.

What a stage owes to code is not written down but found: the modules that it imports. Their hash, the settings and the files
that it reads stand in `config/<stage>.json` of a run folder, so a stage is out of date exactly if that file or the manifest
of an input is another one than it was made from.
"""

from dataclasses import dataclass
from pathlib import Path

from recsys.core.code import hash_code
from recsys.core.files import MANIFEST, read_json, sha256_of

CONFIG = "config"


@dataclass(frozen=True, slots=True, kw_only=True)
class StageNode:
    """One stage.

    Attributes:
        name: Of the stage, its table and its folder.
        reads: The stages whose folders it reads.
        target: What make calls the way up to it.
        about: What it brings, in a few words.
        files: Settings that name files, whose size and time count as part of the settings.
        changes: Whether it takes up items added and deleted since; it is out of date when these change.
        looks_at: Stages whose settings it checks before long work; nothing that it writes depends on them.
        also_runs: Modules beside its own whose code it answers for.
    """

    name: str
    reads: tuple[str, ...]
    target: str
    about: str
    files: tuple[str, ...] = ()
    changes: bool = False
    looks_at: tuple[str, ...] = ()
    also_runs: tuple[str, ...] = ()

    @property
    def module(self) -> str:
        """What `python -m` takes."""
        return f"pipelines.stages.{self.name}"

    def hash_code(self) -> str:
        """One hash of all code that it runs."""
        return hash_code(self.module, *self.also_runs)


STAGES = (
    StageNode(
        name="ingest", reads=(), target="data", about="clean tables of the log", files=("interactions", "items", "users")
    ),
    StageNode(name="split", reads=("ingest",), target="split", about="train, validation, test"),
    StageNode(name="pairs", reads=("ingest", "split"), target="pairs", about="what the towers read"),
    StageNode(
        name="pretrain",
        reads=("pairs",),
        target="pretrained",
        about="pre-train without labels, where [pretrain] asks for it",
    ),
    StageNode(
        name="train",
        reads=("pairs", "pretrain"),
        target="model",
        about="train the two towers",
        looks_at=("retrieve",),
    ),
    StageNode(
        name="embed",
        reads=("ingest", "pairs", "train"),
        target="embeddings",
        about="vectors of items and users",
    ),
    StageNode(
        name="index",
        reads=("embed",),
        target="index",
        about="the search index, gated on recall",
    ),
    StageNode(
        name="baselines", reads=("ingest", "split"), target="baselines", about="what the model has to beat, and may be a source"
    ),
    StageNode(
        name="retrieve",
        reads=("ingest", "split", "pairs", "train", "embed", "index", "baselines"),
        target="candidates",
        about="candidates.parquet",
        files=("users", "allow", "deny"),
        changes=True,
    ),
    StageNode(
        name="evaluate",
        reads=("ingest", "split", "pairs", "train", "embed", "index", "retrieve", "baselines"),
        target="report",
        about="metrics.json and report.html",
    ),
    StageNode(
        name="register",
        reads=("ingest", "split", "pairs", "pretrain", "train", "embed", "index", "baselines", "retrieve", "evaluate"),
        target="register",
        about="MLflow runs and the gated model version",
        also_runs=("pipelines.tracking.served_model",),
    ),
)
NAMES = tuple(stage.name for stage in STAGES)


def stages_up_to(target: str) -> list[StageNode]:
    """A stage and all that it needs, in order.

    Args:
        target: The name of the stage.
    """
    needed = {target}
    for stage in reversed(STAGES):
        if stage.name in needed:
            needed |= set(stage.reads)
    return [stage for stage in STAGES if stage.name in needed]


def is_out_of_date(run: Path, stage: StageNode) -> bool:
    """Whether a stage must run: it never did, or its settings, its code or an input are others than those it was made from.

    Args:
        run: The run folder, laid out.
        stage: Which one.
    """
    path = run / stage.name / MANIFEST
    if not path.is_file():
        return True
    manifest = read_json(path)
    if manifest.get("config_sha256") != sha256_of(run / CONFIG / f"{stage.name}.json"):
        return True
    before = [(name, run / name / MANIFEST) for name in stage.reads]
    return any(not file.is_file() or manifest["inputs"].get(name) != sha256_of(file) for name, file in before)


def make_rules(run: Path) -> str:
    """The graph as make reads it: one rule a stage, and a target for the way up to each.

    Args:
        run: The run folder.
    """
    lines = []
    for stage in STAGES:
        done = f"{run}/{stage.name}/{MANIFEST}"
        needs = [f"{run}/{CONFIG}/{stage.name}.json", *(f"{run}/{name}/{MANIFEST}" for name in stage.reads)]
        lines += [f"{done}: {' '.join(needs)}", f"\t@$(PY) -m {stage.module} {run}", f"{stage.target}: {done}", ""]
    return "\n".join(lines)
