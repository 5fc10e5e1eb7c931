from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.settings.profile import choose_protocol, read_profile, shipped_profiles
from recsys.core.errors import ConfigError

LOG = 'name = "x"\n[ingest]\nsource = "files"\ninteractions = "log.csv"\n'


@pytest.fixture
def profile(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "own.toml"
        path.write_text(text)
        return path

    return write


@pytest.mark.parametrize("name", shipped_profiles())
def test_every_shipped_profile_is_valid_and_named_as_its_file(name: str) -> None:
    assert read_profile(Path("pipelines/configs") / f"{name}.toml").name == name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (LOG + "[train]\nlearnin_rate = 1.0\n", ["train.learnin_rate", "known key"]),
        (LOG + "[train]\nlearning_rate = -1\n", ["train.learning_rate", "greater than 0", "-1"]),
        (LOG + '[train]\nn_epochs = "ten"\n', ["train.n_epochs", "integer", "'ten'"]),
        (LOG + "[train]\ndropout = 1.5\n", ["train.dropout", "less than 1", "1.5"]),
        (LOG + "[train]\ndim = 30\nn_heads = 4\n", ["train", "multiple", "30"]),
        (LOG + '[split]\nprotocol = "random"\n', ["split.protocol", "leave_last_out", "'random'"]),
        (LOG + '[split]\nprotocol = "temporal"\nvalidation = false\n', ["split: validation must be true", "temporal", "false"]),
        (LOG + '[split]\nalso = ["temporal"]\nvalidation = false\n', ["split: validation must be true", "temporal", "false"]),
        (LOG + "[evaluate]\nks = [10, 500]\n", ["evaluate.ks", "500"]),
        (
            LOG.replace("[ingest]", '[ingest]\nuser_categories = ["country"]\nusers = "u.csv"')
            + '[evaluate]\nsegments = ["town"]\n',
            ["evaluate.segments must be of the categories and numbers", "got 'town'; there are: country"],
        ),
        (LOG + "[evaluate]\nk = 20\n[baselines]\nk = 15\n", ["evaluate.k", "k in [baselines]", "20 and 15"]),
        ('name = "x"\n[ingest]\nsource = "files"\n', ["ingest", "interactions", "nothing"]),
        ('name = "../x"\n[ingest]\nsource = "synthetic"\n', ["name", "pattern", "'../x'"]),
        ('name = "raw"\n[ingest]\nsource = "synthetic"\n', ["name", "raw"]),
        ("name = \n", ["must be TOML"]),
        (LOG + "[tune.space]\ndim = { low = 9, high = 8 }\n", ["tune.space.dim.range: low must be under high", "9", "8"]),
        (LOG + "[tune.space]\ndim = []\n", ["tune.space.dim.list", "at least 1"]),
        (LOG + "[pairs]\nsearch_dim = 0\n[embed]\ncold_items = true\n", ["embed.cold_items must be false", "search_dim"]),
        (
            LOG + "[pretrain]\nn_epochs = 1\n[train]\nhistory_length = 8\n",
            ["pretrain.window_length must be at most train.history_length", "10", "8"],
        ),
        (
            LOG + '[retrieve]\nsources = ["two_tower", "ease"]\n[baselines]\nnames = ["item_knn"]\n',
            ["retrieve.sources must name baselines of [baselines] names", "got ease"],
        ),
        (LOG + "[split]\ntest_days = inf\n", ["split.test_days", "finite", "inf"]),
        (LOG + "[split]\ntest_days = 1e9\n", ["split.test_days", "36500", "1000000000.0"]),
    ],
)
def test_a_wrong_profile_is_refused_with_key_rule_and_value(
    profile: Callable[[str], Path], text: str, expected: list[str]
) -> None:
    with pytest.raises(ConfigError) as caught:
        read_profile(profile(text))
    assert "\n" not in str(caught.value)
    assert all(part in str(caught.value) for part in expected), str(caught.value)


def test_a_missing_profile_is_answered_with_the_shipped_ones() -> None:
    with pytest.raises(ConfigError, match=r"no such file; shipped ones: .*ml-100k"):
        read_profile(Path("nowhere.toml"))


def test_relative_paths_are_read_from_the_folder_of_the_profile(profile: Callable[[str], Path], tmp_path: Path) -> None:
    assert read_profile(profile(LOG)).ingest.interactions == str(tmp_path / "log.csv")


def test_cloud_addresses_stay_as_they_are(profile: Callable[[str], Path]) -> None:
    own = profile(LOG.replace("log.csv", "s3://bucket/log.parquet"))
    assert read_profile(own).ingest.interactions == "s3://bucket/log.parquet"


def test_another_protocol_changes_nothing_else(profile: Callable[[str], Path]) -> None:
    own = read_profile(profile(LOG + '[split]\nalso = ["temporal"]\ntest_share = 0.3\n[register]\nmodel_name = "m"\n'))
    other = choose_protocol(own, "temporal")
    assert (other.split.protocol, other.split.also, other.split.test_share) == ("temporal", [], 0.3)
    assert other.model_copy(update={"split": own.split}) == own


def test_a_protocol_that_the_profile_does_not_allow_is_refused_in_one_sentence(profile: Callable[[str], Path]) -> None:
    own = read_profile(profile(LOG + "[split]\nvalidation = false\n"))
    with pytest.raises(ConfigError, match='PROTOCOL=temporal: split: validation must be true for the protocol "temporal"'):
        choose_protocol(own, "temporal")
