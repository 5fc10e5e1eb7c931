"""`[register]`: under which name in MLflow."""

from pydantic import Field

from pipelines.settings.table import Settings, Text


class RegisterSettings(Settings):
    """Under which name in MLflow."""

    experiment: Text | None = Field(default=None, description="MLflow experiment; the name of the run if left out.")
    model_name: Text | None = Field(default=None, description="Registered model; the name of the run if left out.")
