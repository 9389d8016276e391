"""Plans that are kept, with a bound on what they take: a plan is as large as the fields that it is for."""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

MOST_HELD_FIELDS = 200_000
"""Fields of all plans that are kept, some 1 kB each. The plans made first go first, but for those used since."""

MOST_VARIANTS = 32
"""Plans of one operation: by kind of viewer and by the variables of @skip and @include."""

Plans = dict[Hashable, Any]
"""The plans of one operation. Whoever asks finds its own there, and keeps them through `HeldPlans`."""


@dataclass(slots=True)
class HeldPlans:
    """Which plans are kept, of all operations: it takes what is too much out of the operations' own dictionaries."""

    fields: int = 0
    _held: OrderedDict[tuple[int, Hashable], tuple[Plans, int]] = field(default_factory=OrderedDict)

    def keep(self, plans: Plans, key: Hashable, plan: Any, size: int) -> None:
        """Keep a plan of `size` fields among the others of its operation."""
        if len(plans) >= MOST_VARIANTS:
            for each in list(plans):
                self._drop(id(plans), each)
        plans[key] = plan
        # The dictionary stays alive while it is held: nothing else can have its id.
        self._held[id(plans), key] = (plans, size)
        self.fields += size
        while self.fields > MOST_HELD_FIELDS and len(self._held) > 1:
            self._drop_or_spare(*next(iter(self._held)))

    def _drop_or_spare(self, place: int, key: Hashable) -> None:
        """Many documents that are asked once must not push out those that are asked all day."""
        plan: Any = self._held[place, key][0].get(key)
        if getattr(plan, "used", False):
            plan.used = False
            self._held.move_to_end((place, key))
        else:
            self._drop(place, key)

    def _drop(self, place: int, key: Hashable) -> None:
        plans, size = self._held.pop((place, key))
        plans.pop(key, None)
        self.fields -= size
