// Follow a ticket's messages, for ever, over whatever happens: node watch.mjs T-000042
//
// Every delivery is a line of <reference>.journal, its cursor beside it: state and place are stored in one step.
// Started again, it goes on after the last line.

import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { askPatiently, follow } from "./casewire.mjs";

const [reference] = process.argv.slice(2);
const journal = `${reference}.journal`;

const LOAD = `
  query ($reference: String!) {
    ticketByReference(reference: $reference) {
      id feedCursor
      messages(first: 100) { nodes { sequence body } pageInfo { hasNextPage } }
    }
  }`;

const WATCH = `
  subscription ($ticketId: ID!, $after: Cursor) {
    messages(ticketId: $ticketId, after: $after) {
      ... on MessageChange { __typename cursor message { sequence body actor { displayName } } }
      ... on StreamCaughtUp { __typename cursor }
      ... on StreamReset { __typename cursor reason }
    }
  }`;

const write = (entry) => appendFileSync(journal, JSON.stringify(entry) + "\n");
const { ticketByReference: ticket } = await askPatiently(LOAD, { reference });
const place = { after: ticket.feedCursor };
if (existsSync(journal)) {
  place.after = JSON.parse(readFileSync(journal, "utf8").trimEnd().split("\n").at(-1)).cursor;
  console.log("-- going on after the last line of the journal");
} else {
  for (const { sequence, body } of ticket.messages.nodes) write({ sequence, body, cursor: ticket.feedCursor });
  console.log(`-- loaded ${ticket.messages.nodes.length} messages, following from there`);
}

await follow(WATCH, ticket.id, place, (item) => {
  const { sequence, body, actor } = item.message ?? {};
  write({ sequence, body, cursor: item.cursor });
  place.after = item.cursor;
  if (item.__typename === "MessageChange") console.log(`${sequence} ${actor.displayName}: ${body}`);
  else console.log(`-- ${item.__typename} ${item.reason ?? ""}`);
});
