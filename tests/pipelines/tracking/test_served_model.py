import json
from pathlib import Path
from types import SimpleNamespace

import pandas as pd

from pipelines.tracking.served_model import ServedRetriever


def test_known_users_get_k_rows_and_unknown_users_none(finished: Path) -> None:
    model = ServedRetriever()
    folders = {name: str(finished / name) for name in ("pairs", "embed", "index")}
    context = SimpleNamespace(artifacts=folders | {"search": str(finished / "retrieve" / "search")})
    model.load_context(context)
    answer = model.predict(context, pd.DataFrame({"user_id": ["u00001", "nobody"]}), {"k": 3})
    assert answer["user_id"].tolist() == ["u00001"] * 3
    assert answer["rank"].tolist() == [1, 2, 3]


def test_the_logged_model_holds_no_pickle(finished: Path) -> None:
    registered = json.loads((finished / "register" / "registered.json").read_text())
    files = [path for path in (finished.parent / "mlflow").rglob("*") if path.is_file()]
    assert registered["model"] and files
    assert not [path for path in files if path.suffix in (".pkl", ".pickle", ".pt", ".pth", ".joblib")]
