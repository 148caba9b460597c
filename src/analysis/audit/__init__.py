"""A leak scan of anything rendered or shared.

``findings`` names the kinds of leaks · ``wording`` knows what plain text gives away ·
``people`` knows whose students belong where · ``markup`` reads pages · ``cells`` looks for
small counts · ``notebooks`` reads notebooks · ``sheets`` reads tables · ``pictures`` reads
what is written inside pictures · ``opening`` opens any file, also inside others ·
``auditing`` looks through a file, a folder or a bundle.

It reads text and nothing else: it renders nothing and knows no store, so that pages can be
audited before they are published and bundles after they came back.
"""
