from core.writing.prose.averages import each_session, median_users, other_means, than_average


def test_the_clause_that_speaks_of_a_session() -> None:
    text = "They have 5 visits; per session, they open 3 pages"

    (span,) = each_session(text, [])

    assert text[slice(*span)] == " per session, they open 3 pages"


def test_a_measure_of_a_session_speaks_of_itself_alone() -> None:
    text = "3 pages per session and 15 pages"

    assert each_session(text, [(2, 19)]) == []


def test_the_middle_user() -> None:
    text = "The median user views 13 pages, the others more."

    (span,) = median_users(text)

    assert text[slice(*span)] == "median user views 13 pages"


def test_the_mean_beside_a_median() -> None:
    text = "The median is 9 pages, the mean 13.9"

    (median, mean) = list(other_means(text))

    assert text[median[0] : median[1]] == "The median"
    assert median[2]["page_views_mean"] == "page_views_median"
    assert text[mean[0] : mean[1]] == "the mean"
    assert mean[2]["page_views_median"] == "page_views_mean"


def test_an_average_that_something_is_compared_with_is_of_all_users() -> None:
    text = "More sessions than average, a rate below the site average"

    assert [text[slice(*span)] for span in than_average(text)] == ["average", "the site average"]
    assert than_average("12 sessions on average, below the average of segment 2") == []
