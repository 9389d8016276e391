"""What happened in the demo world, told by company."""

from server.demo.stories.bank import BANK_STORIES
from server.demo.stories.hotels import BLACK_SCREEN, HOTEL_STORIES
from server.demo.stories.partner import PARTNER_STORIES

FIRST = BLACK_SCREEN
"""The ticket to look at first: a conversation, internal notes and an escalation under way."""

STORIES = (*HOTEL_STORIES, *PARTNER_STORIES, *BANK_STORIES)
