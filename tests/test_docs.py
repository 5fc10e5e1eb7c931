"""What README and docs say is there: the notebook runs, links lead somewhere, commands and settings exist."""

import json
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from pipelines.settings.profile import Profile

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.slow
def test_the_notebook_runs_from_top_to_bottom() -> None:
    notebook = json.loads((ROOT / "docs/examples/quickstart.ipynb").read_text())
    names: dict[str, Any] = {}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)
    quality = dict(names["quality"].select("metric", "value").iter_rows())
    assert quality["hr@10"] > 0.3, "the successor of the last item is easy to learn"
    assert set(names["lists"]["source"]) == {"two_tower", "fallback"}
    assert names["found"].select("item_id", "rank", "title").height == 5


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_make_target_and_command_exists(page: Path, recsys) -> None:
    text = page.read_text()
    told = subprocess.run(["make", "-C", str(ROOT), "help"], capture_output=True, text=True, check=True).stdout
    targets = set(re.findall(r"^  make ([a-z-]+)", told, re.M))
    used = set(re.findall(r"^make (?:-j2 )?([a-z-]+)", text, re.M)) | set(re.findall(r"`make ([a-z-]+)", text))
    assert used <= targets
    commands = set(re.findall(r"^│ ([a-z-]+) ", recsys("--help")[1], re.M))
    assert set(re.findall(r"^(?:\.venv/bin/)?recsys ([a-z-]+)", text, re.M)) <= commands


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_profile_shown_can_be_read(page: Path) -> None:
    for block in re.findall(r"```toml\n(.*?)```", page.read_text(), re.S):
        table = {"name": "shop"} | tomllib.loads(block)
        table["ingest"] = {"source": "files", "interactions": "log.csv", "item_categories": ["genre"]} | table.get("ingest", {})
        table["ingest"].setdefault("item_times", ["release"])
        table["ingest"].setdefault("items", "items.csv")
        assert Profile.model_validate(table).name == table["name"]


def test_the_readme_is_short_and_its_modules_exist() -> None:
    text = (ROOT / "README.md").read_text()
    assert len(text.splitlines()) <= 150
    for page in PAGES:
        for module in re.findall(r"-m (pipelines[.\w]+)", page.read_text()):
            assert (ROOT / (module.replace(".", "/") + ".py")).is_file(), module


def test_no_page_names_a_package_on_the_index_that_is_not_ours() -> None:
    told = "\n".join(page.read_text() for page in PAGES)
    assert re.findall(r"pip install '?(?:recsys|contrastive-recsys)", told) == []
