from recsys.baselines.popularity import popularity_scores


def test_a_score_is_the_number_of_train_users(data_of):
    data = data_of([[1, 0, 1], [1, 0, 0], [1, 1, 0]])
    assert popularity_scores(data).tolist() == [3, 1, 1]


def test_validation_events_do_not_count(data_of):
    data = data_of([[1, 0], [0, 1]], history=[[1, 1], [1, 1]])
    assert popularity_scores(data).tolist() == [1, 1]
