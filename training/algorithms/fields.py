"""Hyper-parameters that several algorithms share, bounds and all."""

from typing import Annotated, Literal

from msgspec import Meta

Trees = Annotated[
    int,
    Meta(
        ge=1,
        le=2000,
        description="Number of trees; more are steadier and slower.",
        extra={"search": {"low": 50, "high": 500, "log": True}},
    ),
]
Depth = Annotated[
    int,
    Meta(
        ge=1,
        le=200,
        description="Longest chain of questions in a tree.",
        extra={"search": {"low": 3, "high": 30, "log": True}},
    ),
]
LeafRows = Annotated[
    int,
    Meta(
        ge=1,
        le=10_000,
        description="Fewest training rows that a leaf may rest on; more make a smoother model.",
        extra={"search": {"low": 1, "high": 20, "log": True}},
    ),
]
FeatureShare = Annotated[
    float,
    Meta(
        gt=0,
        le=1,
        description="Share of the columns tried at each split.",
        extra={"search": {"low": 0.2, "high": 1.0, "log": False}},
    ),
]
LearningRate = Annotated[
    float,
    Meta(
        ge=1e-4,
        le=1,
        description="How much each tree corrects; smaller needs more rounds.",
        extra={"search": {"low": 0.01, "high": 0.3, "log": True}},
    ),
]
Rounds = Annotated[
    int,
    Meta(
        ge=1,
        le=2000,
        description="Number of boosting rounds.",
        extra={"search": {"low": 50, "high": 500, "log": True}},
    ),
]
Leaves = Annotated[
    int,
    Meta(
        ge=2,
        le=1024,
        description="Most leaves of a tree.",
        extra={"search": {"low": 7, "high": 127, "log": True}},
    ),
]
RowShare = Annotated[
    float,
    Meta(
        gt=0,
        le=1,
        description="Share of the rows that each tree learns from.",
        extra={"search": {"low": 0.5, "high": 1.0, "log": False}},
    ),
]
CorrectionPenalty = Annotated[
    float,
    Meta(
        ge=0,
        le=1e6,
        description="Penalty on large corrections.",
        extra={"search": {"low": 1e-6, "high": 10.0, "log": True}},
    ),
]
Alpha = Annotated[
    float,
    Meta(
        ge=1e-6,
        le=1e6,
        description="Penalty on large coefficients: larger is simpler.",
        extra={"search": {"low": 1e-3, "high": 1e3, "log": True}},
    ),
]
SmallAlpha = Annotated[
    float,
    Meta(
        ge=0,
        le=1e3,
        description="Penalty on large coefficients: larger is simpler.",
        extra={"search": {"low": 1e-6, "high": 1e-1, "log": True}},
    ),
]
InversePenalty = Annotated[
    float,
    Meta(
        ge=1e-6,
        le=1e6,
        description="Inverse of the penalty: smaller is simpler.",
        extra={"search": {"low": 1e-3, "high": 1e3, "log": True}},
    ),
]
MixOfPenalties = Annotated[
    float,
    Meta(
        ge=0,
        le=1,
        description="0 shrinks all coefficients a little (L2), 1 sets many to zero (L1).",
        extra={"search": {"low": 0.0, "high": 1.0, "log": False}},
    ),
]
ClassWeight = Annotated[
    Literal["balanced"] | None,
    Meta(
        description="'balanced' makes a rare class count as much as a frequent one.",
        extra={"search": {"choices": [None, "balanced"]}},
    ),
]
Steps = Annotated[int, Meta(ge=1, le=20_000, description="Most steps of the solver.")]
Contamination = Annotated[
    float,
    Meta(
        gt=0,
        le=0.5,
        description="Share of the training rows thought to be anomalies.",
    ),
]
FlagAbove = Annotated[
    float,
    Meta(
        ge=0.5,
        le=0.9999,
        description="Flag rows more unusual than this share of the training rows; none: 1 - contamination.",
    ),
]
Neighbours = Annotated[
    int,
    Meta(
        ge=2,
        le=500,
        description="Neighbours that a row is compared with.",
        extra={"search": {"low": 5, "high": 60, "log": True}},
    ),
]
Clusters = Annotated[
    int,
    Meta(
        ge=2,
        le=200,
        description="Number of clusters; none: the best of 2 to 10 for the data.",
        extra={"search": {"low": 2, "high": 20, "log": True}},
    ),
]
DenseRows = Annotated[
    int,
    Meta(
        ge=2,
        le=1000,
        description="Rows that must lie close together for a place to count as dense.",
        extra={"search": {"low": 3, "high": 30, "log": True}},
    ),
]
