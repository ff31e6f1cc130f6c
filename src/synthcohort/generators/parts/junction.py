r"""On which tree of tables is a law with given interactions computed exactly?

Columns are the nodes of a graph in which those that share a measured table are joined. Columns are removed one by one,
each time the one whose neighbours and itself span the smallest table, and the neighbours are joined: what they span are
the cliques of a chordal graph. A spanning tree of the largest cliques, heaviest in columns shared, is a junction tree:
if two cliques have a column, so has every clique between them [Lauritzen 1988; Koller 2009, ch. 10].
"""

from __future__ import annotations

from dataclasses import dataclass

from synthcohort.generators.parts.factors import Clique, cells


@dataclass(frozen=True)
class JunctionTree:
    """Cliques in an order in which each comes after its parent.

    Args:
        cliques: columns of each clique, ascending; the first is the root.
        parents: place of each clique's parent, -1 for the root.
        separators: columns each clique shares with its parent; () for the root.
    """

    cliques: tuple[Clique, ...]
    parents: tuple[int, ...]
    separators: tuple[Clique, ...]

    def home(self, columns: Clique) -> int | None:
        """Return the first clique that has all the columns, None if there is none."""
        wanted = set(columns)
        return next((i for i, clique in enumerate(self.cliques) if wanted <= set(clique)), None)


def junction_tree(interactions: list[Clique], levels: list[int], root: int) -> JunctionTree:
    """Return a junction tree of all columns.

    Args:
        interactions: columns that must share a clique.
        levels: [d] levels of each column.
        root: a column of the root clique.
    """
    largest = _largest(_eliminate(interactions, levels))
    first = min((c for c in largest if root in c), key=lambda c: (cells(c, levels), c))
    cliques: list[Clique] = [first]
    parents = [-1]
    separators: list[Clique] = [()]
    nearest = {c: (len(set(c) & set(first)), 0) for c in largest if c != first}  # columns shared, with which clique
    while nearest:  # Prim's algorithm, heaviest separator first
        child = max(nearest, key=lambda c: (nearest[c][0], [-x for x in c]))
        _, parent = nearest.pop(child)
        cliques.append(child)
        parents.append(parent)
        separators.append(tuple(sorted(set(child) & set(cliques[parent]))))
        for c in nearest:
            nearest[c] = max(nearest[c], (len(set(c) & set(child)), len(cliques) - 1), key=lambda link: link[0])
    return JunctionTree(tuple(cliques), tuple(parents), tuple(separators))


def largest_table(interactions: list[Clique], levels: list[int]) -> int:
    """Return how many cells the cliques of the tree would have together."""
    return sum(cells(c, levels) for c in _largest(_eliminate(interactions, levels)))


def _eliminate(interactions: list[Clique], levels: list[int]) -> list[Clique]:
    """Return what each column spans when it is removed."""
    near: dict[int, set[int]] = {c: set() for c in range(len(levels))}
    for clique in interactions:
        for c in clique:
            near[c] |= set(clique) - {c}
    span = {c: cells((c, *near[c]), levels) for c in near}
    spanned: list[Clique] = []
    while near:
        c = min(near, key=lambda x: (span[x], x))
        others = near.pop(c)
        spanned.append(tuple(sorted({c, *others})))
        for other in others:
            near[other] = (near[other] | others) - {c, other}
        for other in others:
            span[other] = cells((other, *near[other]), levels)
    return spanned


def _largest(spanned: list[Clique]) -> list[Clique]:
    """Return the cliques that lie in no other."""
    sets = [set(c) for c in sorted(set(spanned), key=lambda c: (-len(c), c))]
    kept: list[set[int]] = []
    for clique in sets:
        if not any(clique <= other for other in kept):
            kept.append(clique)
    return [tuple(sorted(c)) for c in kept]
