from recsys.evaluation.backtest import summarise


def _cut(**values):
    return [{"model": model, "metric": "ndcg@10", "value": value} for model, value in values.items()] + [
        {"model": model, "metric": "hr@10", "value": 1 - value} for model, value in values.items()
    ]


def test_models_stand_by_their_mean_with_each_cut_and_how_often_they_lead():
    found = summarise([_cut(a=0.1, b=0.3), _cut(a=0.5, b=0.2), _cut(a=0.2, b=0.2)], metric="ndcg@10")
    assert [row.model for row in found] == ["a", "b"]
    assert found[0].values == (0.1, 0.5, 0.2) and (found[0].low, found[0].high) == (0.1, 0.5)
    assert [row.n_best for row in found] == [2, 2], "a tie counts for both"


def test_a_model_that_a_cut_lacks_is_judged_by_the_others():
    found = {row.model: row for row in summarise([_cut(a=0.1), _cut(a=0.2, b=0.4)], metric="ndcg@10")}
    assert found["b"].values == (None, 0.4) and found["b"].mean == 0.4 and found["b"].n_best == 1
