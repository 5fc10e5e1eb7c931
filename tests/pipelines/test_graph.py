import re
from pathlib import Path

import pytest

from pipelines.graph import NAMES, STAGES, is_out_of_date, make_rules, stages_up_to
from recsys.core.files import read_json, write_json


def test_a_stage_reads_only_stages_before_it() -> None:
    for position, stage in enumerate(STAGES):
        assert set(stage.reads) <= set(NAMES[:position])
        assert Path("pipelines", "stages", f"{stage.name}.py").is_file()


def test_what_stages_read_is_what_the_graph_says(finished: Path) -> None:
    for stage in STAGES:
        assert set(read_json(finished / stage.name / "manifest.json")["inputs"]) == set(stage.reads), stage.name


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_whose_settings_a_stage_looks_at_is_what_the_graph_says(stage) -> None:  # type: ignore[no-untyped-def]
    source = Path(f"pipelines/stages/{stage.name}.py").read_text()
    assert sorted(set(re.findall(r'settings_of\("(\w+)"\)', source))) == sorted(stage.looks_at)
    assert "read_json(stage.run" not in source


def test_the_way_up_to_a_stage_holds_all_that_it_needs_and_no_more() -> None:
    assert [stage.name for stage in stages_up_to("train")] == ["ingest", "split", "pairs", "pretrain", "train"]
    assert [stage.name for stage in stages_up_to("baselines")] == ["ingest", "split", "baselines"]
    assert [stage.name for stage in stages_up_to("register")] == list(NAMES)


def test_a_finished_run_is_up_to_date_until_settings_or_inputs_change(copy_of: Path) -> None:
    stages = {stage.name: stage for stage in STAGES}
    assert not any(is_out_of_date(copy_of, stage) for stage in STAGES)
    config = copy_of / "config" / "train.json"
    write_json(config, read_json(config) | {"code": "another"})
    assert [name for name, stage in stages.items() if is_out_of_date(copy_of, stage)] == ["train"]
    manifest = copy_of / "index" / "manifest.json"
    write_json(manifest, read_json(manifest) | {"seconds": -1})
    assert [name for name, stage in stages.items() if is_out_of_date(copy_of, stage)][1:] == [
        "retrieve",
        "evaluate",
        "register",
    ]
    (copy_of / "ingest" / "manifest.json").unlink()
    assert is_out_of_date(copy_of, stages["ingest"])


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_make_has_a_rule_for_each_stage(stage) -> None:  # type: ignore[no-untyped-def]
    rules = make_rules(Path("artifacts/x"))
    assert f"artifacts/x/{stage.name}/manifest.json: artifacts/x/config/{stage.name}.json" in rules
    assert f"\n{stage.target}: artifacts/x/{stage.name}/manifest.json\n" in rules
    assert f"-m pipelines.stages.{stage.name} artifacts/x" in rules
