"""The registered model: MLflow loads this file as code, with the run's folders as its artifacts. Nothing is unpickled."""

from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from recsys.serving.retriever import open_retriever


class ServedRetriever(PythonModel):
    """`user_id` in, `user_id, item_id, rank, score` out; the parameter `k` says how many."""

    def load_context(self, context: PythonModelContext) -> None:
        """Open the run's folders; vectors and index are memory-mapped."""
        folders = {name: Path(context.artifacts[name]) for name in ("pairs", "embed", "index", "search")}
        self.retriever = open_retriever(**folders)

    def predict(
        self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        """Candidates of the users asked for; users that train does not know get no rows."""
        k = int((params or {}).get("k", 10))
        found = self.retriever.recommend([str(user) for user in model_input["user_id"]], k=k).drop("source", strict=False)
        return pd.DataFrame(found.to_dict(as_series=False))


mlflow.models.set_model(ServedRetriever())
