"""The whole path unattended: from files in an inbox to pages that are published and shared.

``summary`` is what programs read of a run.
"""
