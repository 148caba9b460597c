"""From a notebook and a classroom to a published page: papermill, nbconvert, editions.

::

    parameters   what is given is what the notebook declares
    calibrating  what all reports rest on is renewed first, where it is due
    warmth       the kernel server's life; kernel and server do the rest
    execution    the notebook runs, through papermill
    blocks       a part of the page, every value escaped
    page         the executed notebook as one self-contained page, and proof of whose it is
    staleness    what changed since a report was made
    edition      all reports of one run, published together
    runner       all of it, for many classrooms at once
"""
