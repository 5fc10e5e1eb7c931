"""MLflow: runs, the registry, and the model that it serves."""
