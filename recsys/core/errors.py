"""Every error a user can cause. Each message says: what must hold, got what came; what to do."""


class RecsysError(Exception):
    """The parent of all: a command that meets one prints its message and exits with code 2."""


class ConfigError(RecsysError):
    """A profile holds an unknown key, a wrong type or a value out of range."""


class SchemaError(RecsysError):
    """A table lacks a column, or a column has the wrong type."""


class DataError(RecsysError):
    """The values themselves cannot be used: empty, null, absurd, or too few."""


class SourceError(RecsysError):
    """A raw file is missing, unreadable or could not be fetched."""


class LeakageError(RecsysError):
    """Training data contains what the protocol holds out."""


class IndexQualityError(RecsysError):
    """An index misses the recall it must have, or does not belong to these vectors."""


class TrainingError(RecsysError):
    """Training cannot go on, such as a loss that is no longer a number."""


class ArtefactError(RecsysError):
    """A run folder lacks an artefact, or an artefact is not what its manifest says."""


class BenchmarkError(RecsysError):
    """A benchmark is not known, or one side of it could not be run."""


class NotFittedError(RecsysError):
    """A model is asked before it was fitted."""


class BusyError(RecsysError):
    """Another process is at work in the same run folder."""
