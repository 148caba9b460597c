"""The right page to the right person, and nothing else.

``pages`` knows what is published · ``recipients`` who gets what · ``groups`` brings groups
back into teachers' tools · ``spreadsheets`` writes tables in which nothing is evaluated ·
``bundle`` puts one recipient's files together · ``protection`` seals them behind a
passphrase of ``passphrases`` · ``pseudonyms`` gives students other names · ``share`` does
all of it, audits the result, and publishes all bundles or none.
"""
