"""The vocabulary: types and errors. Depends on nothing else in the package."""
