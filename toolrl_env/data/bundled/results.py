"""What the tools of the catalogue return: drawn from their alternatives, or really worked out."""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Callable, Mapping
from random import Random
from typing import Any, cast

from toolrl_env.data.bundled.catalogue import ToolDoc
from toolrl_env.data.bundled.tables import ATOMS, EUROS, METRES, NUTRIENTS, PLACES
from toolrl_env.data.bundled.values import make_code

__all__ = ["make_result"]

Arguments = Mapping[str, Any]


def make_result(tool: ToolDoc, arguments: Arguments, rng: Random) -> dict[str, Any]:
    """Return what ``tool`` answers to ``arguments``."""
    alternative = rng.choice(tool.results)
    if "computed" in alternative:
        return COMPUTED[tool.name](arguments, rng)
    return {key: _draw(recipe, arguments, rng) for key, recipe in alternative.items()}


def _draw(recipe: Any, arguments: Arguments, rng: Random) -> Any:
    if isinstance(recipe, list):
        return rng.choice(cast("list[Any]", recipe))
    if isinstance(recipe, str) and recipe.startswith("$"):
        return arguments[recipe[1:]]
    if not isinstance(recipe, str) or not recipe.startswith("~"):
        return recipe
    kind, *words = recipe[1:].split(" ")
    if kind == "int":
        return rng.randint(int(words[0]), int(words[1]))
    if kind == "float":
        return round(rng.uniform(float(words[0]), float(words[1])), int(words[2]))
    return make_code(" ".join(words), rng)


def _convert_currency(arguments: Arguments, _: Random) -> dict[str, Any]:
    rate = EUROS[arguments["target"]] / EUROS[arguments["source"]]
    return {"rate": round(rate, 4), "result": round(arguments["amount"] * rate, 2)}


def _loan_payment(arguments: Arguments, _: Random) -> dict[str, Any]:
    rate, months = arguments["annual_rate"] / 12, arguments["years"] * 12
    monthly = arguments["principal"] * rate / (1 - (1 + rate) ** -months)
    interest = monthly * months - arguments["principal"]
    return {"monthly": round(monthly, 2), "total_interest": round(interest, 2)}


def _split_bill(arguments: Arguments, _: Random) -> dict[str, Any]:
    total = arguments["total"] * (1 + arguments.get("tip_percent", 0) / 100)
    return {"each": round(total / arguments["people"], 2)}


def _nutrition(arguments: Arguments, _: Random) -> dict[str, Any]:
    keys = ("kcal", "protein_g", "fat_g")
    per_100 = NUTRIENTS[arguments["food"]]
    return {k: round(v * arguments["grams"] / 100) for k, v in zip(keys, per_100, strict=True)}


def _race_pace(arguments: Arguments, _: Random) -> dict[str, Any]:
    seconds = round(arguments["target_minutes"] * 60 / arguments["distance_km"])
    return {"pace": f"{seconds // 60}:{seconds % 60:02}"}


def _body_mass_index(arguments: Arguments, _: Random) -> dict[str, Any]:
    return {"bmi": round(arguments["weight_kg"] / (arguments["height_cm"] / 100) ** 2, 1)}


def _bump_version(arguments: Arguments, _: Random) -> dict[str, Any]:
    numbers = [int(part) for part in arguments["version"].split(".")]
    place = ("major", "minor", "patch").index(arguments["part"])
    bumped = [*numbers[:place], numbers[place] + 1, *[0] * (2 - place)]
    suffix = f"-{arguments['pre']}.1" if "pre" in arguments else ""
    return {"next": ".".join(map(str, bumped)) + suffix}


def _test_regex(arguments: Arguments, _: Random) -> dict[str, Any]:
    flags = re.IGNORECASE if arguments.get("ignore_case") else 0
    return {"matches": len(re.findall(arguments["pattern"], arguments["text"], flags))}


def _distance(arguments: Arguments, _: Random) -> dict[str, Any]:
    (lat1, lon1, _h), (lat2, lon2, _h) = (PLACES[arguments[k]] for k in ("start", "end"))
    phi1, phi2 = math.radians(lat1), math.radians(lat2)
    half = math.sin((phi2 - phi1) / 2) ** 2
    half += math.cos(phi1) * math.cos(phi2) * math.sin(math.radians(lon2 - lon1) / 2) ** 2
    kilometres = 2 * 6371 * math.asin(math.sqrt(half))
    unit = arguments.get("unit", "km")
    factor, word = {
        "km": (1.0, "kilometres"),
        "miles": (1.609344, "miles"),
        "nautical_miles": (1.852, "nautical miles"),
    }[unit]
    return {"distance": round(kilometres / factor), "unit": word}


def _local_time(arguments: Arguments, _: Random) -> dict[str, Any]:
    hour, minute = map(int, arguments["time"].split(":"))
    shift = PLACES[arguments["target"]][2] - PLACES[arguments["source"]][2]
    minutes = (hour * 60 + minute + shift * 60) % (24 * 60)
    return {"there": f"{minutes // 60:02}:{minutes % 60:02}"}


def _departures(arguments: Arguments, rng: Random) -> dict[str, Any]:
    hour, minute = map(int, arguments["after"].split(":"))
    minutes = hour * 60 + minute + rng.randint(3, 34)
    terminus = rng.choice(("Penzance", "Aberdeen", "London King's Cross", "Chester"))
    return {
        "next": f"{minutes // 60:02}:{minutes % 60:02}",
        "terminus": arguments.get("towards", terminus),
        "platform": rng.randint(1, 9),
    }


def _statistics(arguments: Arguments, _: Random) -> dict[str, Any]:
    values = arguments["values"]
    deviation = statistics.stdev if arguments.get("sample") else statistics.pstdev
    return {
        "mean": round(statistics.fmean(values), 2),
        "median": round(statistics.median(values), 2),
        "deviation": round(deviation(values), 2),
    }


def _molar_mass(arguments: Arguments, _: Random) -> dict[str, Any]:
    atoms = re.findall(r"([A-Z][a-z]?)(\d*)", arguments["formula"])
    mass = sum(ATOMS[symbol] * int(count or 1) for symbol, count in atoms)
    return {"g_per_mol": round(mass, arguments.get("digits", 2))}


def _convert_units(arguments: Arguments, _: Random) -> dict[str, Any]:
    factor = METRES[arguments["source"]] / METRES[arguments["target"]]
    return {"result": round(arguments["value"] * factor, 3)}


def _determinant(arguments: Arguments, _: Random) -> dict[str, Any]:
    return {"determinant": _laplace(arguments["matrix"])}


def _laplace(rows: list[list[float]]) -> float:
    if len(rows) == 1:
        return rows[0][0]
    minors = ([row[:c] + row[c + 1 :] for row in rows[1:]] for c in range(len(rows)))
    return sum((-1) ** c * rows[0][c] * _laplace(minor) for c, minor in enumerate(minors))


def _fuel_cost(arguments: Arguments, _: Random) -> dict[str, Any]:
    litres = arguments["distance_km"] * arguments["litres_per_100km"] / 100
    return {"litres": round(litres, 1), "cost": round(litres * arguments["price"], 2)}


COMPUTED: dict[str, Callable[[Arguments, Random], dict[str, Any]]] = {
    "convert_currency": _convert_currency,
    "loan_payment": _loan_payment,
    "split_bill": _split_bill,
    "nutrition_facts": _nutrition,
    "race_pace": _race_pace,
    "body_mass_index": _body_mass_index,
    "bump_version": _bump_version,
    "test_regex": _test_regex,
    "distance_between": _distance,
    "local_time": _local_time,
    "train_departures": _departures,
    "summarise_numbers": _statistics,
    "molar_mass": _molar_mass,
    "convert_units": _convert_units,
    "matrix_determinant": _determinant,
    "fuel_cost": _fuel_cost,
}
