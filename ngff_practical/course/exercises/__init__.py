"""The exercises: one module `eLESSON.py` for each lesson, with a tuple EXERCISES in the notebook's order."""
