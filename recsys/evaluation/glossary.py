"""What each figure means, in a sentence for people who do not measure for a living."""

from collections.abc import Mapping

GLOSSARY: Mapping[str, str] = {
    "hr": "Hit rate: the share of users who find at least one item they took among the first k.",
    "recall": "Of the items a user took, the share that is among the first k.",
    "precision": "Of the first k items, the share that the user took.",
    "r_precision": "Precision at as many ranks as the user took items.",
    "ndcg": "Items that were taken count the more the higher they stand; 1 is the best possible order.",
    "mrr": "One over the rank of the first item that was taken, 0 if none is among the first k.",
    "map": "The precision at each rank where an item was taken, averaged over all items that the user took.",
    "rbp": "Rank-biased precision: items taken, weighted by the chance that somebody reading down the list gets to them.",
    "debiased_recall": "Recall in which rarely seen items count more, as if all items had had the same chance to be seen.",
    "debiased_ndcg": "NDCG in which rarely seen items count more, as if all items had had the same chance to be seen.",
    "serendipity": "Share of the first k items that were taken and are not among the k most popular ones.",
    "novelty": "How rare the listed items are, in bits: one more bit is half as popular.",
    "popularity_lift": "How much more popular the listed items are than what the user takes: 0 alike, 1 twice as popular.",
    "intra_list_distance": "How unlike each other two items of a list are: 0 of the same kinds, 1 of none in common.",
    "miscalibration": "How far the kinds of items in a list are from those that the user takes: 0 is the same mix.",
    "coverage": "The share of the catalogue that is in anybody's list.",
    "gini": "How unevenly items are listed: 0 all equally often, near 1 if a few items fill all lists.",
}


def explain(metric: str) -> str:
    """What a figure such as `ndcg@10` means.

    >>> explain("coverage@10")
    "The share of the catalogue that is in anybody's list. Here k is 10."
    """
    name, _, k = metric.partition("@")
    return f"{GLOSSARY[name]} Here k is {k}." if k else GLOSSARY[name]
