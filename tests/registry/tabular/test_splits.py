"""Rows held out by group and by time: the same row on the same side, whatever else the dataset holds."""

import msgspec
import numpy as np
import pandas as pd
import pytest

from registry.tabular.errors import SchemaMismatch, TooFewRows
from registry.tabular.holdout import holdout_mask
from registry.tabular.splits import Split, arranged, held_out, settle

GROUP, TIME = Split("group", "patient"), Split("time", "seen")


def rows(n: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "patient": [f"p{number}" for number in rng.integers(0, 60, n)],
            "seen": pd.date_range("2025-01-01", periods=n, freq="h").astype(str),
            "value": rng.normal(size=n),
            "ill": rng.choice(["no", "yes"], n),
        }
    )


def test_no_group_is_on_both_sides_and_about_a_fifth_is_held_out() -> None:
    frame = rows()
    mask = held_out(frame, "ill", GROUP)
    assert not set(frame["patient"][mask]) & set(frame["patient"][~mask])
    assert 0.1 < mask.mean() < 0.35


def test_a_group_stays_on_its_side_in_every_dataset() -> None:
    frame = rows()
    mask = pd.Series(held_out(frame, "ill", GROUP), index=frame.index)
    part = frame.sample(250, random_state=1).assign(more=1.0)
    assert (held_out(part, "ill", GROUP) == mask.loc[part.index]).all()


def test_few_groups_still_leave_some_on_each_side() -> None:
    frame = rows().assign(patient=np.arange(400) % 4)
    mask = held_out(frame, "ill", settle(frame, GROUP))
    assert frame["patient"][mask].nunique() == 1


def test_the_newest_fifth_is_held_out_and_the_cut_off_stays() -> None:
    frame = rows()
    split = settle(frame, TIME)
    mask = held_out(frame, "ill", split)
    assert mask.mean() == pytest.approx(0.2)
    assert frame["seen"][mask].min() > frame["seen"][~mask].max()
    later = pd.concat([frame, frame.assign(seen="2026-05-01")])
    assert held_out(later, "ill", split)[:400].tolist() == mask.tolist()
    assert held_out(later, "ill", split)[400:].all()


def test_rows_that_neither_of_two_versions_learnt_from_are_those_both_hold_out() -> None:
    """The later cut-off's rows are unseen by the earlier version, too."""
    frame = rows()
    early, late = settle(frame.head(200), TIME), settle(frame, TIME)
    both = held_out(frame, "ill", early) & held_out(frame, "ill", late)
    assert both.tolist() == held_out(frame, "ill", late).tolist()


def test_rows_without_a_moment_or_a_group_are_learnt_from() -> None:
    frame = rows()
    frame.loc[:9, ["patient", "seen"]] = None
    assert not held_out(frame, "ill", GROUP)[:10].any()
    assert not held_out(frame, "ill", settle(frame, TIME))[:10].any()
    groups = arranged(frame, GROUP)
    assert groups is not None
    assert groups.head(10).nunique() == 10


def test_by_content_is_as_ever() -> None:
    frame = rows()
    assert (held_out(frame, "ill", Split()) == holdout_mask(frame, "ill")).all()
    assert settle(frame, Split()) == Split()
    assert arranged(frame, Split()) is None


@pytest.mark.parametrize(
    ("split", "error", "words"),
    [
        (Split("group", "nobody"), SchemaMismatch, "no column nobody"),
        (Split("group", "ill"), TooFewRows, "2 groups"),
        (Split("time", "value"), SchemaMismatch, "holds no dates"),
        (Split("time", "patient"), SchemaMismatch, "holds no dates"),
    ],
)
def test_what_cannot_split_is_refused_in_words(split: Split, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        settle(rows(), split)


@pytest.mark.parametrize("share", [0.1, 0.4])
@pytest.mark.parametrize("kind", ["content", "group", "time"])
def test_about_the_share_is_held_out_and_a_smaller_share_lies_within_a_larger(
    kind: str, share: float
) -> None:
    columns = {"content": None, "group": "patient", "time": "seen"}
    frame, split = rows(), Split(kind, columns[kind], share=share)  # type: ignore[arg-type]  # one of the three
    mask = held_out(frame, "ill", settle(frame, split))
    assert share / 2 < mask.mean() < share * (2.5 if kind == "group" else 1.5)  # groups are of all sizes
    larger = held_out(frame, "ill", settle(frame, msgspec.structs.replace(split, share=share + 0.05)))
    assert larger[mask].all()


def test_one_moment_for_all_has_no_newest_part() -> None:
    with pytest.raises(TooFewRows, match="no newest part"):
        settle(rows().assign(seen="2025-01-01"), TIME)
