"""Figures that worked-out results need: rounded, for samples only."""

from __future__ import annotations

__all__ = ["ATOMS", "EUROS", "METRES", "NUTRIENTS", "PLACES"]

EUROS = {
    "EUR": 1.0,
    "CHF": 0.95,
    "JPY": 163.0,
    "NOK": 11.7,
    "GBP": 0.85,
    "MXN": 20.4,
    "PLN": 4.3,
    "THB": 37.5,
    "CAD": 1.5,
    "USD": 1.09,
    "ZAR": 19.6,
    "INR": 93.0,
}
"""How much of a currency one euro buys."""

NUTRIENTS = {
    "cooked quinoa": (120, 4.4, 1.9),
    "peanut butter": (598, 22, 51),
    "smoked mackerel": (305, 20, 25),
    "dried apricots": (241, 3.4, 0.5),
    "cottage cheese": (98, 11, 4.3),
    "hummus": (237, 7.4, 18),
    "rye bread": (259, 8.5, 3.3),
    "tempeh": (192, 20, 11),
    "pistachios": (560, 20, 45),
    "Greek yoghurt": (97, 9, 5),
}
"""kcal, grams of protein and grams of fat in 100 g."""

ATOMS = {
    "H": 1.008,
    "C": 12.011,
    "N": 14.007,
    "O": 15.999,
    "Na": 22.99,
    "S": 32.06,
    "Cl": 35.45,
    "K": 39.098,
    "Ca": 40.078,
    "Mn": 54.938,
    "Fe": 55.845,
}
"""Standard atomic weights in g/mol."""

METRES = {
    "inches": 0.0254,
    "feet": 0.3048,
    "yards": 0.9144,
    "centimetres": 0.01,
    "metres": 1.0,
    "millimetres": 0.001,
}
"""Length of a unit in metres."""

PLACES = {
    "Lisbon": (38.7, -9.1, 0),
    "Tallinn": (59.4, 24.8, 2),
    "Kyoto": (35.0, 135.8, 9),
    "Marrakesh": (31.6, -8.0, 1),
    "Halifax": (44.6, -63.6, -4),
    "Valparaíso": (-33.0, -71.6, -3),
    "Ghent": (51.1, 3.7, 1),
    "Nairobi": (-1.3, 36.8, 3),
    "Cork": (51.9, -8.5, 0),
    "Ljubljana": (46.1, 14.5, 1),
    "Hobart": (-42.9, 147.3, 11),
    "Bergen": (60.4, 5.3, 1),
    "Oaxaca": (17.1, -96.7, -6),
    "Dundee": (56.5, -3.0, 0),
    "Tbilisi": (41.7, 44.8, 4),
    "Da Nang": (16.1, 108.2, 7),
    "Porto": (41.1, -8.6, 0),
    "Kraków": (50.1, 19.9, 1),
    "Quito": (-0.2, -78.5, -5),
    "Trieste": (45.6, 13.8, 1),
    "Aarhus": (56.2, 10.2, 1),
    "Windhoek": (-22.6, 17.1, 2),
    "Malmö": (55.6, 13.0, 1),
    "Galway": (53.3, -9.1, 0),
    "Zagreb": (45.8, 16.0, 1),
    "Perth": (-31.9, 115.9, 8),
    "Antwerp": (51.2, 4.4, 1),
    "Busan": (35.2, 129.1, 9),
    "Leipzig": (51.3, 12.4, 1),
    "Turin": (45.1, 7.7, 1),
    "Cardiff": (51.5, -3.2, 0),
    "Montréal": (45.5, -73.6, -5),
    "Accra": (5.6, -0.2, 0),
    "Bilbao": (43.3, -2.9, 1),
    "Graz": (47.1, 15.4, 1),
    "Tromsø": (69.6, 19.0, 1),
    "Muscat": (23.6, 58.4, 4),
    "Lyon": (45.8, 4.8, 1),
    "Seville": (37.4, -6.0, 1),
    "Chiang Mai": (18.8, 99.0, 7),
}
"""Latitude and longitude in degrees, and hours ahead of UTC in January."""
