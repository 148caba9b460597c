"""Forgetting: one student everywhere, or everything that is older than the rule allows.

``traces`` says whether a file holds a student, also inside other files · ``editing`` takes
a student out of texts and tables · ``student`` removes one student from store, plans,
notes, runs and editions, and from exports where that is asked for · ``retention`` removes
what is too old.
"""
