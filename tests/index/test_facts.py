import json
from dataclasses import asdict
from pathlib import Path

import pytest

from recsys.core.errors import IndexQualityError
from recsys.index.facts import IndexFacts, read_index_facts

FACTS = IndexFacts(
    backend="annoy",
    build="10 trees",
    effort=40,
    k=10,
    recall=0.99,
    queries_per_second=1000.0,
    why="measured",
    target_recall=0.95,
    score="cosine",
    n_items=5,
    n_added=0,
    vectors_sha256="a",
    added_sha256="b",
    index_sha256="c",
)


def test_what_is_on_file_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "index.json").write_text(json.dumps(asdict(FACTS)))
    assert read_index_facts(tmp_path) == FACTS


def test_an_index_of_an_older_version_is_refused(tmp_path: Path) -> None:
    older = {name: value for name, value in asdict(FACTS).items() if name != "added_sha256"}
    (tmp_path / "index.json").write_text(json.dumps(older))
    with pytest.raises(IndexQualityError, match="of this version, got one that differs in added_sha256; make it again"):
        read_index_facts(tmp_path)
