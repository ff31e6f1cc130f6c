"""What is known of a table before any of its files is opened?

Who publishes it, under which terms, where its raw files can be had and which bytes are the true ones: a raw file is
identified by the SHA-256 of its uncompressed bytes, and whatever copy is found, only those bytes count.
"""

from __future__ import annotations

from dataclasses import dataclass

from synthcohort.datasets.table import Card

CC_BY = "Creative Commons Attribution 4.0 (CC BY 4.0)"
UCI = "https://archive.ics.uci.edu"
KAGGLE = "https://www.kaggle.com"


@dataclass(frozen=True)
class Source:
    """Where one raw file can be downloaded: a file (packed if its name ends in .gz), or `member` of a zip archive."""

    url: str
    member: str = ""


@dataclass(frozen=True)
class RawFile:
    """One raw file.

    Args:
        name: its name below data/<table>/ and below the table's folder in a mirror (there plain or with .gz added).
        sha256: hex digest of its uncompressed bytes.
        size: uncompressed size in bytes.
        sources: where to download it, in order of preference; empty if it comes with the program itself.
    """

    name: str
    sha256: str
    size: int
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True)
class Entry:
    """One table of the catalogue; the fields shared with `Card` mean the same there.

    Args:
        homepage: the publisher's page about it.
        files: its raw files; empty for a table that is simulated.
        shelf: its folder in a mirror; "" for one called as the table.
        package: importable package that carries the single raw file inside it ("" if none does).
        member: path of that file inside the package.
        credentialed: whether its files are given to credentialed persons only. It then has none to download: they stay
            in the folder that the reader names, the cohort is drawn from there, and the table is restricted
            unless its block says otherwise.
    """

    name: str
    title: str
    publisher: str
    homepage: str
    licence: str
    citation: str
    quirks: tuple[str, ...]
    files: tuple[RawFile, ...] = ()
    shelf: str = ""
    package: str = ""
    member: str = ""
    simulated: bool = False
    credentialed: bool = False

    @property
    def card(self) -> Card:
        """The card that travels with the table."""
        urls = dict.fromkeys([self.homepage, *(s.url for f in self.files for s in f.sources)])
        return Card(
            name=self.name,
            title=self.title,
            publisher=self.publisher,
            urls=tuple(url for url in urls if url),
            licence=self.licence,
            citation=self.citation,
            quirks=self.quirks,
            simulated=self.simulated,
            restricted=self.credentialed,
        )
