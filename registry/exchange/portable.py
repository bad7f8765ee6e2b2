"""A version's twin as an ONNX file that any runtime can ask: with the columns as its inputs.

A twin (``registry.inference.twins``) keeps what stands before and after its graph as a recipe that this
platform follows. Here the recipe is written into the graph as well: each column becomes an input of shape
(n, 1) under its own name, numbers as 64-bit, texts as they are; outputs are ``label`` and ``probabilities``,
or ``value``. A missing number is NaN, a missing text "".
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np
import onnx
from onnx import TensorProto, compose, helper, numpy_helper

from registry.exchange.content import Refused
from registry.inference.heads import INSIDE, SMALLEST
from registry.inference.recipe import (
    Affine,
    Bell,
    Classes,
    Labels,
    Lookup,
    Marks,
    Member,
    Number,
    Numbers,
    Part,
    Recipe,
    Sigmoid,
)
from registry.inference.twins import RECIPE
from registry.tabular.columns import NUMBER_TYPES, Column

ML = "ai.onnx.ml"
TWIN = "twin/"  # what stands in the twin keeps its names behind this


def portable(twin: bytes, columns: Sequence[Column]) -> bytes:
    """The twin as a file of its own; raises Refused where ONNX's operators cannot say what it does."""
    inner = onnx.load_model_from_string(twin)
    told = {entry.key: entry.value for entry in inner.metadata_props}[RECIPE]
    recipe = msgspec.json.decode(told.encode(), type=Recipe)
    return _Writer(compose.add_prefix(inner, TWIN), columns).whole(recipe)


class _Writer:
    """Adds what stands before and after to the twin's own nodes."""

    def __init__(self, inner: onnx.ModelProto, columns: Sequence[Column]) -> None:
        self._inner = inner
        self._columns = {column.name: column for column in columns}
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self._inputs: dict[str, Any] = {}
        self._count = 0

    def whole(self, recipe: Recipe) -> bytes:
        """The file."""
        for place, member in enumerate(recipe.members):
            self._name_it(self._member(member), f"{TWIN}x{place}")
        before = list(self._nodes)
        self._nodes = []
        answers = [f"{TWIN}y{place}" for place in range(len(recipe.members))]
        outputs = self._head(recipe.head, self._mixed(answers, recipe))
        graph = helper.make_graph(
            [*before, *self._inner.graph.node, *self._nodes],
            "model",
            list(self._inputs.values()),
            outputs,
            [*self._inner.graph.initializer, *self._constants],
        )
        model = helper.make_model(
            graph,
            opset_imports=list(self._inner.opset_import),
            ir_version=self._inner.ir_version,
            producer_name="mlplatform",
        )
        onnx.checker.check_model(model)
        data: bytes = model.SerializeToString()
        return data

    def _add(self, operator: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        self._count += 1
        name = f"step/{self._count}"
        self._nodes.append(helper.make_node(operator, list(inputs), [name], domain=domain, **attributes))
        return name

    def _constant(self, values: Any, kind: str = "float64") -> str:
        self._count += 1
        name = f"table/{self._count}"
        self._constants.append(numpy_helper.from_array(np.asarray(values, dtype=kind), name))
        return name

    def _name_it(self, value: str, name: str) -> None:
        self._nodes.append(helper.make_node("Identity", [value], [name]))

    def _input(self, name: str) -> str:
        if name not in self._inputs:
            number = self._columns[name].type in NUMBER_TYPES
            kind = TensorProto.DOUBLE if number else TensorProto.STRING
            self._inputs[name] = helper.make_tensor_value_info(name, kind, [None, 1])
        return name

    def _member(self, member: Member) -> str:
        x = self._side_by_side([self._part(part) for part in member.parts])
        if member.keep is not None:
            x = self._add("Gather", x, self._constant(member.keep, "int64"), axis=1)
        if member.rounded:
            x = self._add("Cast", self._add("Cast", x, to=TensorProto.FLOAT), to=TensorProto.DOUBLE)
        return x

    def _side_by_side(self, values: Sequence[str]) -> str:
        return values[0] if len(values) == 1 else self._add("Concat", *values, axis=1)

    def _part(self, part: Part) -> str:
        x = self._side_by_side([self._piece(piece) for piece in part.pieces])
        if isinstance(part.scale, Bell):
            raise Refused("Its numbers are brought onto a bell curve, which ONNX has no operator for.")
        if isinstance(part.scale, Affine):
            moved = self._add("Sub", x, self._constant([part.scale.shift]))
            x = self._add("Div", moved, self._constant([part.scale.width]))
        return x

    def _piece(self, piece: Any) -> str:
        makers: dict[type[Any], Callable[[Any], str]] = {
            Numbers: self._numbers,
            Marks: self._marks,
            Lookup: self._lookup,
        }
        if type(piece) not in makers:
            raise Refused("It reads dates or words of a text, which ONNX's standard operators cannot.")
        return makers[type(piece)](piece)

    def _numbers(self, piece: Numbers) -> str:
        x = self._side_by_side([self._input(name) for name in piece.columns])
        if any(value is not None for value in piece.fill):
            fill = [[math.nan if value is None else value for value in piece.fill]]
            x = self._add("Where", self._add("IsNaN", x), self._constant(fill), x)
        if piece.empty:
            kept = np.ones((1, len(piece.columns)), dtype=bool)
            kept[0, piece.empty] = False
            x = self._add("Where", self._constant(kept, "bool"), x, self._constant(0.0))
        return x

    def _marks(self, piece: Marks) -> str:
        x = self._side_by_side([self._input(name) for name in piece.columns])
        return self._add("Cast", self._add("IsNaN", x), to=TensorProto.DOUBLE)

    def _lookup(self, piece: Lookup) -> str:
        if self._columns[piece.column].type in NUMBER_TYPES:
            raise Refused(f"It reads the numbers of {piece.column} as categories.")
        places = {key: place for place, key in enumerate(piece.keys)}
        places.setdefault("", places.get(piece.missing, len(piece.keys)))
        found = self._add(
            "LabelEncoder",
            self._input(piece.column),
            domain=ML,
            keys_strings=list(places),
            values_int64s=list(places.values()),
            default_int64=len(piece.keys),
        )
        flat = self._add("Reshape", found, self._constant([-1], "int64"))
        return self._add("Gather", self._constant([*piece.rows, piece.other]), flat, axis=0)

    def _mixed(self, answers: list[str], recipe: Recipe) -> str:
        if recipe.weights is None:
            return answers[0]
        if recipe.pooled:
            low, high = self._constant(SMALLEST), self._constant(1.0)
            answers = [self._add("Log", self._add("Clip", one, low, high)) for one in answers]
        parts = [
            self._add("Mul", one, self._constant(weight))
            for one, weight in zip(answers, recipe.weights, strict=True)
        ]
        total = parts[0]
        for part in parts[1:]:
            total = self._add("Add", total, part)
        return self._add("Softmax", total, axis=1) if recipe.pooled else total

    def _head(self, head: Any, found: str) -> list[Any]:
        if isinstance(head, Number):
            self._name_it(found, "value")
            return [helper.make_tensor_value_info("value", TensorProto.DOUBLE, [None, 1])]
        if isinstance(head, Labels):
            places = self._add("Cast", self._flat(found), to=TensorProto.INT64)
            return [self._labels(places, head.labels)]
        if not isinstance(head, Classes):
            raise Refused("It finds groups or unusual rows, whose answers ONNX has no common form for.")
        shares = self._corrected(head, found)
        self._name_it(shares, "probabilities")
        told = helper.make_tensor_value_info("probabilities", TensorProto.DOUBLE, [None, len(head.labels)])
        return [self._labels(self._decided(head, shares), head.labels), told]

    def _flat(self, value: str) -> str:
        return self._add("Reshape", value, self._constant([-1], "int64"))

    def _labels(self, places: str, labels: list[str]) -> Any:
        numbers = list(range(len(labels)))
        words = self._add("LabelEncoder", places, domain=ML, keys_int64s=numbers, values_strings=labels)
        self._name_it(words, "label")
        return helper.make_tensor_value_info("label", TensorProto.STRING, [None])

    def _decided(self, head: Classes, shares: str) -> str:
        if head.threshold is None:
            return self._add("ArgMax", shares, axis=1, keepdims=0)
        chosen = self._add("Gather", shares, self._constant(head.positive, "int64"), axis=1)
        above = self._add("GreaterOrEqual", chosen, self._constant(head.threshold))
        yes, no = (self._constant(place, "int64") for place in (head.positive, 1 - head.positive))
        return self._add("Where", above, yes, no)

    def _corrected(self, head: Classes, found: str) -> str:
        if head.calibrators is None:
            return found
        fixes = [one for one in head.calibrators if isinstance(one, Sigmoid)]
        if len(fixes) < len(head.calibrators):
            raise Refused("Its probabilities are corrected by stairs, which ONNX has no operator for.")
        if len(head.labels) == 2:
            yes = self._sigmoid(fixes[0], found, 1)
            return self._add("Concat", self._add("Sub", self._constant(1.0), yes), yes, axis=1)
        columns = [self._sigmoid(fix, found, place) for place, fix in enumerate(fixes)]
        together = self._add("Concat", *columns, axis=1)
        total = self._add("ReduceSum", together, self._constant([1], "int64"), keepdims=1)
        return self._add("Div", together, total)

    def _sigmoid(self, fix: Sigmoid, found: str, place: int) -> str:
        one = self._add("Gather", found, self._constant([place], "int64"), axis=1)
        inside = self._add("Clip", one, self._constant(INSIDE), self._constant(1 - INSIDE))
        odds = self._add("Div", inside, self._add("Sub", self._constant(1.0), inside))
        line = self._add("Mul", self._add("Log", odds), self._constant(fix.slope))
        return self._add("Sigmoid", self._add("Add", line, self._constant(fix.shift)))
