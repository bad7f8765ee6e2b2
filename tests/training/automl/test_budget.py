import pytest

from training.automl.budget import SearchSettings, hopeless, since_best, used_share, used_up
from training.automl.study import Past, State


def trial(value: float | None, share: float = 1.0) -> Past:
    return Past("ridge", {}, State.failed if value is None else State.complete, value, share)


@pytest.mark.parametrize(
    ("budget", "values", "seconds", "reason"),
    [
        ({"trials": 3}, [0.1, 0.2], 0, None),
        ({"trials": 3}, [0.1, 0.2, 0.3], 0, "all 3 trials were made"),
        ({"seconds": 60}, [0.1], 59.9, None),
        ({"seconds": 60}, [0.1], 60.0, "the 60 seconds are over"),
        ({"patience": 2}, [0.5, 0.4], 0, None),
        ({"patience": 2}, [0.5, 0.4, None], 0, "2 trials in a row were no better"),
        ({"patience": 2}, [0.5, 0.4, 0.6], 0, None),
    ],
)
def test_a_search_ends_by_trials_time_or_patience(
    budget: dict[str, int], values: list[float | None], seconds: float, reason: str | None
) -> None:
    assert used_up(SearchSettings(**budget), [trial(value) for value in values], seconds) == reason  # type: ignore[arg-type]  # numbers by name


def test_the_first_of_equals_is_the_best() -> None:
    assert since_best([trial(0.5), trial(0.5), trial(0.5)]) == 2


def test_trials_on_few_rows_are_not_compared() -> None:
    assert since_best([trial(0.5), trial(0.1, share=1 / 3), trial(0.2, share=1 / 9)]) == 0


def test_the_used_share_is_that_of_whatever_is_further() -> None:
    settings = SearchSettings(trials=10, seconds=100)
    assert used_share(settings, [trial(0.1)] * 2, 50) == 0.5
    assert used_share(settings, [trial(0.1)] * 8, 50) == 0.8
    assert used_share(settings, [], 1000) == 1.0


class TestHopeless:
    others = tuple([value, value, value] for value in (0.5, 0.6, 0.7, 0.8, 0.9))

    def test_worse_than_the_middle(self) -> None:
        assert hopeless([0.69], self.others)
        assert not hopeless([0.71], self.others)

    def test_the_same_number_of_folds_is_compared(self) -> None:
        late = tuple([0.1, 0.9, 0.9] for _ in range(5))
        assert not hopeless([0.2], late)
        assert hopeless([0.2, 0.3], late)

    def test_not_before_five_trials_are_complete(self) -> None:
        assert not hopeless([0.0], self.others[:4])
