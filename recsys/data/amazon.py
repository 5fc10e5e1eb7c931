"""Amazon reviews of 2014 as the S3-Rec authors published them: where the files of a set are found.

Source: He & McAuley, WWW 2016; McAuley et al., SIGIR 2015; processed by Zhou et al., "S3-Rec", CIKM 2020.
"""

import gzip
import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

from recsys.core.errors import SourceError
from recsys.data.download import Progress, fetch_archive, fetch_first
from recsys.data.scan import plain_or_gzipped

AmazonSet = Literal["amazon-beauty", "amazon-sports"]
_ADDRESS = "https://raw.githubusercontent.com/aHuiWang/CIKM2020-S3Rec/e6c774da92dba847b00ac89e8bfc5c55cc44d378/data/"
_FOLDERS = ("", "amazon-yelp-s3rec")
PUBLISHED: Mapping[AmazonSet, Mapping[str, str]] = {
    "amazon-beauty": {
        "Beauty.txt": "226cce9c3105299ca0db9615d7d3fb32b3175e90da43100ae352599f0f0107b8",
        "Beauty_item2attributes.json": "129e40f67486f6877eff0f5318cfa8530ee8ac23d8b0d1de04e1bb7a2ba0b2d4",
    },
    "amazon-sports": {
        "Sports_and_Outdoors.txt": "2a095e0648872beb9982408958290f5d655db5be2911c3756b5446de9f0b8de2",
        "Sports_and_Outdoors_item2attributes.json": "7fb10733ac4f1811384a52144cdefa7fcc7536fa80a7232c5da9bd789155c34b",
    },
}


def locate_amazon(
    name: AmazonSet,
    *,
    data_dir: Path | None,
    raw: Path,
    on_progress: Progress | None = None,
    published: Mapping[AmazonSet, Mapping[str, str]] = PUBLISHED,
) -> tuple[Path, Path]:
    """Find the two files of a set, fetching them if need be, and hold them to their hashes.

    Args:
        name: Which set.
        data_dir: A folder to look in first: it holds the files, plain or gzipped, or a folder `amazon-yelp-s3rec` that does.
        raw: Where fetched files are kept.
        on_progress: Called with bytes so far and in all while downloading.
        published: The SHA-256 of each file of each set, interactions first.

    Returns:
        Interactions and item attributes.

    Raises:
        SourceError: No source has them, or they are other files than those.
    """
    wanted = published[name]
    folders = [] if data_dir is None else [data_dir / folder for folder in (*_FOLDERS, name)]
    for folder in [*folders, raw]:
        log, attributes = (plain_or_gzipped(folder, file) for file in wanted)
        if log is not None and attributes is not None:
            _check(log, wanted[log.name.removesuffix(".gz")])
            _check(attributes, wanted[attributes.name.removesuffix(".gz")])
            return log, attributes
    fetch_first({_ADDRESS: _from_address(wanted, on_progress)}, raw)
    return locate_amazon(name, data_dir=None, raw=raw, published=published)


def _from_address(wanted: Mapping[str, str], on_progress: Progress | None) -> Callable[[Path], None]:
    def fetch(folder: Path) -> None:
        for file in wanted:
            fetch_archive(_ADDRESS + file, folder / file, on_progress=on_progress)

    return fetch


def _check(path: Path, wanted: str) -> None:
    try:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError) as error:
        raise SourceError(f"{path} must be readable, got: {error}; remove it to fetch it again") from None
    found = hashlib.sha256(data).hexdigest()
    if found != wanted:
        raise SourceError(
            f"{path} must have the SHA-256 {wanted[:12]}… of the published file, got {found[:12]}…; "
            'remove it to fetch it again, or read your own file with source = "s3rec"'
        )
