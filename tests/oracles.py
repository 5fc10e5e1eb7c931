"""Losses and metrics written out as sums, slowly and in float64, to compare the fast ones with."""

import json
import math
import os
import subprocess
import sys

import ir_measures
import torch

_RANX_SCRIPT = """
import json, sys
from ranx import Qrels, Run, evaluate
job = json.load(sys.stdin)
values = evaluate(Qrels(job["relevant"]), Run(job["scores"]), job["metrics"], return_mean=False)
json.dump({name: [float(value) for value in row] for name, row in values.items()}, sys.stdout)
"""


def softmax_loss(users, items, target_idx, *, scale):
    """-log(exp(s·u·v_target) / sum over all items of exp(s·u·v)), meaned over rows; differentiable."""
    total = torch.zeros((), dtype=torch.float64)
    for user, target in zip(users.double(), target_idx.tolist(), strict=True):
        cosines = torch.stack([(user * item).sum() for item in items.double()])
        total = total - (scale.double() * cosines[target] - (scale.double() * cosines).logsumexp(0))
    return total / len(users)


def sampled_softmax_loss(users, positives, negatives, *, log_expected, is_false_negative, scale):
    """-log(exp(s·u·v+) / (exp(s·u·v+) + sum over true negatives of exp(s·u·v-) / expected)), meaned over rows."""
    total = 0.0
    for row, (user, positive) in enumerate(zip(users.double().tolist(), positives.double().tolist(), strict=True)):
        right = math.exp(scale * _dot(user, positive))
        wrong = 0.0
        for position, negative in enumerate(negatives.double().tolist()):
            if not is_false_negative[row][position]:
                wrong += math.exp(scale * _dot(user, negative)) / math.exp(float(log_expected[position]))
        total -= math.log(right / (right + wrong))
    return total / len(users)


def supervised_contrastive_loss(vectors, label, owner, *, scale):
    """Meaned over anchors: the mean over others of the same label of -log(exp(s·a·p) / sum over keys of exp(s·a·k)).

    Keys are all others but those of the same owner with another label; an anchor without a positive adds 0.
    """
    rows, total = vectors.double().tolist(), 0.0
    for i, anchor in enumerate(rows):
        others = [j for j in range(len(rows)) if j != i]
        keys = [j for j in others if label[j] == label[i] or owner[j] != owner[i]]
        positives = [j for j in others if label[j] == label[i]]
        among = sum(math.exp(scale * _dot(anchor, rows[j])) for j in keys)
        for j in positives:
            total -= math.log(math.exp(scale * _dot(anchor, rows[j])) / among) / len(positives)
    return total / len(rows)


def _dot(first, second):
    return sum(a * b for a, b in zip(first, second, strict=True))


def hit_rate(ranked, relevant, k):
    """1 if a relevant item is among the first k."""
    return float(any(item in relevant for item in ranked[:k]))


def recall(ranked, relevant, k):
    """Relevant items found over relevant items."""
    return sum(item in relevant for item in ranked[:k]) / len(relevant)


def precision(ranked, relevant, k):
    """Relevant items found over k."""
    return sum(item in relevant for item in ranked[:k]) / k


def ndcg(ranked, relevant, k):
    """Sum of 1 / log2(rank + 1) over relevant items found, over the same sum for the best list."""
    gain = sum(1 / math.log2(rank + 1) for rank, item in enumerate(ranked[:k], start=1) if item in relevant)
    best = sum(1 / math.log2(rank + 1) for rank in range(1, min(k, len(relevant)) + 1))
    return gain / best


def reciprocal_rank(ranked, relevant, k):
    """One over the first relevant rank."""
    return next((1 / rank for rank, item in enumerate(ranked[:k], start=1) if item in relevant), 0.0)


def average_precision(ranked, relevant, k):
    """Mean over relevant items of the precision at the rank where each is found."""
    total = 0.0
    for rank, item in enumerate(ranked[:k], start=1):
        if item in relevant:
            total += precision(ranked, relevant, rank)
    return total / len(relevant)


def gini(counts):
    """Half the relative mean absolute difference of all pairs."""
    n_items, total = len(counts), sum(counts)
    return sum(abs(a - b) for a in counts for b in counts) / (2 * n_items * total)


def ranx_values(ranked, gains, *, metrics):
    """The same metrics by the library ranx, per user: {"ndcg@10": [one value a user]}; gains are whole numbers by item.

    ranx compiles for half a minute, so it runs interpreted, in a process of its own.
    """
    job = {
        "metrics": metrics,
        "relevant": {
            f"u{position:04d}": {f"i{item}": gain for item, gain in items.items()} for position, items in enumerate(gains)
        },
        "scores": {
            f"u{position:04d}": {f"i{item}": float(len(items) - rank) for rank, item in enumerate(items)}
            for position, items in enumerate(ranked)
        },
    }
    done = subprocess.run(
        [sys.executable, "-c", _RANX_SCRIPT],
        input=json.dumps(job),
        env=os.environ | {"NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def ir_measures_values(ranked, gains, *, metrics):
    """Likewise by the library ir-measures, under its own names: {"nDCG@10": [one value a user]}."""
    qrels = [ir_measures.Qrel(f"{u:04d}", f"i{item}", gain) for u, items in enumerate(gains) for item, gain in items.items()]
    run = [
        ir_measures.ScoredDoc(f"{u:04d}", f"i{item}", float(len(items) - rank))
        for u, items in enumerate(ranked)
        for rank, item in enumerate(items)
    ]
    found = ir_measures.iter_calc([ir_measures.parse_measure(name) for name in metrics], qrels, run)
    values = {name: [0.0] * len(gains) for name in metrics}
    for each in found:
        values[str(each.measure)][int(each.query_id)] = each.value
    return values


def nt_xent_loss(vectors, owner, *, scale):
    """NT-Xent of 2N views, written out: rows i and i + N are views of one thing, and rows of one owner no negatives."""
    n = len(vectors) // 2
    total = 0.0
    for row in range(2 * n):
        partner = (row + n) % (2 * n)
        logits = {key: float(scale * (vectors[row] @ vectors[key])) for key in range(2 * n)}
        others = [logits[key] for key in range(2 * n) if key == partner or owner[key] != owner[row]]
        total += math.log(sum(math.exp(logit) for logit in others)) - logits[partner]
    return total / (2 * n)
