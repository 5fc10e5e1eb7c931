import json

import pytest


def test_doctor_reports_and_fails_on_a_wrong_data_folder(recsys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RECSYS_DATA_DIR", raising=False)
    code, out, _ = recsys("doctor", "--json")
    assert code == 0
    assert json.loads(out)["torch"]["ok"]
    monkeypatch.setenv("RECSYS_DATA_DIR", "/nowhere/at/all")
    code, out, _ = recsys("doctor")
    assert code == 1
    assert "correct RECSYS_DATA_DIR" in out
