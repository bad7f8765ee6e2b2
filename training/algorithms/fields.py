"""Hyper-parameters that several algorithms share, bounds and all."""

from typing import Annotated

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
