from pipelines.settings.profile import Profile
from pipelines.settings.reference import PAGE, write_reference
from recsys.training.settings import PRETRAIN_KNOBS, TRAIN_KNOBS


def test_the_page_is_that_of_the_settings() -> None:
    assert PAGE.read_text(encoding="utf-8") == write_reference(), "run make reference"


def test_every_key_of_every_table_is_there() -> None:
    page = write_reference()
    for name, field in Profile.model_fields.items():
        table = field.alias or name
        keys = {"train": TRAIN_KNOBS, "pretrain": PRETRAIN_KNOBS}.get(table, getattr(field.annotation, "model_fields", {}))
        if table == "name":
            continue
        part = page.split(f"## [{table}]\n")[1].split("\n## ")[0]
        assert all(f"| `{key}` |" in part for key in keys), table


def test_limits_defaults_and_readers_are_told() -> None:
    page = write_reference()
    assert "| `dim` | an integer at least 4 and at most 4,096 | 64 |" in page
    assert "| `target_recall` | number above 0 up to 1 | 0.99 |" in page
    assert "| `source` | files · movielens-100k" in page and "must be given" in page
    assert "Read by transformer, hstu." in page
