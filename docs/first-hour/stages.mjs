// Follow the escalations of a ticket, stage by stage: node stages.mjs T-000042

import { askPatiently, follow } from "./casewire.mjs";

const FIND = `query ($reference: String!) { ticketByReference(reference: $reference) { id feedCursor } }`;
const STAGES = `
  subscription ($ticketId: ID!, $after: Cursor) {
    escalationTimeline(ticketId: $ticketId, after: $after) {
      ... on EscalationTimelineChange {
        __typename cursor
        escalation { reference stage requiresCustomerAction estimatedResolutionAt }
        entry { sequence stage note actor { displayName } }
      }
      ... on StreamCaughtUp { __typename cursor }
      ... on StreamReset { __typename cursor reason }
    }
  }`;

const { ticketByReference: ticket } = await askPatiently(FIND, { reference: process.argv[2] });
const place = { after: ticket.feedCursor };
await follow(STAGES, ticket.id, place, (item) => {
  place.after = item.cursor;
  if (item.__typename !== "EscalationTimelineChange") return console.log(`-- ${item.__typename}`);
  const { escalation, entry } = item;
  if (!entry) return console.log(`${escalation.reference} estimate: ${escalation.estimatedResolutionAt}`);
  const stage = entry.stage + (escalation.requiresCustomerAction ? " (the customer is asked)" : "");
  console.log(`${escalation.reference} ${entry.sequence} ${stage} by ${entry.actor.displayName}: ${entry.note ?? ""}`);
});
