from recsys.evaluation.glossary import GLOSSARY, explain
from recsys.metrics.judge import METRICS


def test_every_metric_is_explained_in_one_sentence():
    assert set(METRICS) < set(GLOSSARY)
    assert all(text.endswith(".") and 20 < len(text) < 140 for text in GLOSSARY.values())
    assert explain("ndcg@7").endswith("Here k is 7.")
