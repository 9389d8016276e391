"""Planning lists: what hangs below a row is a SELECT of its own, all of its rows or a page of them for each parent."""

from typing import Any

from graphql import GraphQLObjectType, get_named_type
from tortoise import Model

from engine.declare import Every, Merged, Pages
from engine.objects import ObjectPlanner, Place
from engine.plans import ChildMerged, ChildPages, ChildRows, PageParts
from engine.selections import Selected
from engine.selects import Link, Select


class ListPlanner(ObjectPlanner):
    def below(self, selected: Selected, declared: Pages | Merged | Every, place: Place) -> str:
        """What hangs below a row. An interface's field is read once, though it is planned for each of its types."""
        key = (place.select.serial, place.alias, declared, *map(id, selected.nodes))
        made = self.read_below.get(key)
        if made is None:
            child = self.child(selected, declared, place)
            place.select.children.append(child)
            made = self.read_below[key] = f"M[{len(place.select.children) - 1}][r[{child.parent}]]"
        return made

    def child(
        self, selected: Selected, declared: Pages | Merged | Every, place: Place
    ) -> ChildPages | ChildMerged | ChildRows:
        match declared:
            case Pages():
                return self.child_pages(selected, declared, place)
            case Merged():
                members = [self.child_pages(selected, each, place) for each in declared.parts]
                return ChildMerged(declared, members[0].parent, members)
            case Every():
                return self.child_rows(selected, declared, place)

    def child_rows(self, selected: Selected, declared: Every, place: Place) -> ChildRows:
        select = self.select(declared.model)
        select.link = link_of(place.model, declared.relation)
        expression = self.value(selected, Place(select, select.table, declared.model))
        parent = place.select.column(place.model, place.alias, "id")
        return ChildRows(declared, parent, select, select.compiled(expression))

    def child_pages(self, selected: Selected, declared: Pages, place: Place) -> ChildPages:
        parts = self.page_parts(selected, declared.model, link_of(place.model, declared.relation))
        parent = place.select.column(place.model, place.alias, "id")
        return ChildPages(declared, declared.order(self.viewer), parent, selected.arguments, parts)

    def page_parts(self, selected: Selected, model: type[Model], link: Link | None = None) -> PageParts:
        """The parts of a connection: ("nodes", key, shape), ("edges", key, [(name, key, shape)]), and so on."""
        assert selected.definition is not None
        connection = get_named_type(selected.definition.type)
        assert isinstance(connection, GraphQLObjectType)
        select = self.select(model)
        select.link = link
        place = Place(select, select.table, model)
        drafts: list[tuple[str, str, Any]] = []
        for part in self.selected(connection, selected.sets):
            if part.name == "nodes":
                drafts.append((part.name, part.key, self.value(part, place)))
            elif part.name == "edges":
                drafts.append((part.name, part.key, self.edge(part, place)))
            elif part.name == "pageInfo":
                drafts.append((part.name, part.key, self.plain(part)))
            elif part.name == "totalCount":
                drafts.append((part.name, part.key, None))
            else:
                drafts.append((part.name, part.key, connection.name))
        select.column(model, select.table, "id")
        layout = [(name, key, compiled_part(select, name, draft)) for name, key, draft in drafts]
        return PageParts(layout, select)

    def edge(self, selected: Selected, place: Place) -> list[tuple[str, str, str]]:
        assert selected.definition is not None
        edge = get_named_type(selected.definition.type)
        assert isinstance(edge, GraphQLObjectType)
        found: list[tuple[str, str, str]] = []
        for each in self.selected(edge, selected.sets):
            draft = self.value(each, place) if each.name == "node" else edge.name
            found.append((each.name, each.key, draft))
        return found

    def plain(self, selected: Selected) -> list[tuple[str, str]]:
        assert selected.definition is not None
        kind = get_named_type(selected.definition.type)
        assert isinstance(kind, GraphQLObjectType)
        return [(each.name, each.key) for each in self.selected(kind, selected.sets)]


def link_of(model: type[Model], relation: str | None) -> Link | None:
    if relation is None:
        return None
    found: Any = model._meta.fields_map[relation]
    return Link(found.through, found.backward_key, found.forward_key)


def compiled_part(select: Select, name: str, draft: Any) -> Any:
    if name == "nodes":
        return select.compiled(draft)
    if name == "edges":
        return [(each, key, select.compiled(found) if each == "node" else found) for each, key, found in draft]
    return draft
