from __future__ import annotations

import inspect

from toolrl_env.tools import CallValidator
from toolrl_env.tools.suites.bfcl import Library, method_owners, specs_of


def test_there_are_128_methods_with_an_owner_each(library: Library) -> None:
    owners = method_owners()
    assert len(owners) == 128
    assert set(owners.values()) == set(library.classes)
    assert len(specs_of(tuple(library.classes))) == 128


def test_every_documented_method_exists_with_the_documented_arguments(library: Library) -> None:
    for name, cls in library.classes.items():
        for spec in specs_of([name]):
            method = vars(cls)[spec.name]
            parameters = list(inspect.signature(method).parameters)[1:]
            assert sorted(spec.parameters["properties"]) == sorted(parameters), spec.name


def test_no_documented_method_is_private() -> None:
    assert not [name for name in method_owners() if name.startswith("_")]


def test_every_schema_compiles_and_refuses_undocumented_arguments(library: Library) -> None:
    specs = specs_of(tuple(library.classes))
    CallValidator(specs)
    assert all(spec.parameters["additionalProperties"] is False for spec in specs)


def test_specs_are_shared_and_in_the_order_of_the_classes() -> None:
    one, two = specs_of(["MathAPI", "TicketAPI"]), specs_of(["TicketAPI", "MathAPI"])
    assert one[0].name == "absolute_value"
    assert set(map(id, one)) == set(map(id, two))
    assert [s.name for s in two[-len(specs_of(["MathAPI"])) :]] == [
        s.name for s in specs_of(["MathAPI"])
    ]
