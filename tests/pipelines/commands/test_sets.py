import json
from pathlib import Path


def test_verify_tells_good_from_bad(recsys, copy_of: Path) -> None:
    code, out, _ = recsys("verify", str(copy_of), "--json")
    assert code == 0
    assert all(check["is_good"] for check in json.loads(out))
    with (copy_of / "split" / "train.parquet").open("ab") as handle:
        handle.write(b"x")
    code, out, _ = recsys("verify", str(copy_of))
    assert code == 1
    assert "train.parquet must be what the manifest says" in out


def test_rollback_needs_an_older_set(recsys, copy_of: Path) -> None:
    code, _, err = recsys("rollback", "--run", str(copy_of))
    assert code == 2
    assert "must keep the set before 000001" in err


def test_a_mistyped_run_is_refused_and_not_made(recsys, tmp_path: Path) -> None:
    for command in (("rollback",), ("delete-items", "a")):
        code, _, err = recsys(*command, "--run", str(tmp_path / "typo"))
        assert code == 2
        assert "must be a run folder, got none" in err
    assert not (tmp_path / "typo").exists()
