"""What a digest and a page say of a night, read back from their words."""

from __future__ import annotations

import re

from bs4 import BeautifulSoup


def read_digest(text: str) -> dict:
    """Return what a digest claims."""
    said = {
        "refused": set(re.findall(r"^\d+\. (\S+) could not be used:", text, re.M)),
        "waiting": set(re.findall(r"^(\S+) is still being copied", text, re.M)),
        "overdue": set(re.findall(r"No (?:new )?file (\S+) ", text)),
        "pages": set(re.findall(r"^\d+\. The page of (\S+) could not be made;", text, re.M)),
        "full": "the disk is full" in text,
        "locked": "another command was at work" in text,
        "killed": "was cut off before its end" in text,
        "steps": len(re.findall(r"^\d+\. [^:\n]+: (?:the disk is full|another)", text, re.M)),
    }
    first = re.match(r"(\d+) things? needs? you\.|All is well", text)
    said["needs"] = int(first[1] or 0)
    copies = re.search(r"(\d+) files? had been read before", text)
    said["copies"] = int(copies[1]) if copies else 0
    read = re.search(r"^Read: (\d+) files?", text, re.M)
    said["read"] = int(read[1]) if read else 0
    some = re.search(r"^Students without data in \S+: (.*)\.$", text, re.M)
    none = re.search(r"^No data in \S+: (.*)\.$", text, re.M)
    pairs = re.findall(r"(\S+) \((\d+) of (\d+)\)", some[1]) if some else []
    whole = re.findall(r"(\S+) \((\d+) students?\)", none[1]) if none else []
    said["missing"] = {one: (int(n), int(every)) for one, n, every in pairs}
    said["missing"] |= {one: (int(n), int(n)) for one, n in whole}
    moved = re.search(r"^Changed group: (.*)\.$", text, re.M)
    pairs = re.findall(r"(\S+) \((\d+) of \d+\)", moved[1]) if moved else []
    said["moved"] = {one: int(n) for one, n in pairs}
    return said


def read_cards(page: str) -> dict[str, str]:
    """Return the skill on each student's card, by the student's name."""
    found = {}
    for card in BeautifulSoup(page, "html.parser").select("section.card"):
        title = card.find("h3")
        title.find(class_="label").extract()
        for line in card.find("ul").find_all("li"):
            for extra in line.find_all("span"):
                extra.extract()
            found[line.get_text(strip=True)] = title.get_text(strip=True)
    return found


def expect(wrong: list[str], what: str, said: object, true: object) -> None:
    """Note where a digest says something else than what is true."""
    if said != true:
        wrong.append(f"{what}: it says {said!r}, true is {true!r}")
