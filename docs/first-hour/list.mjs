// List an organization's tickets in pages: node list.mjs "Bluebird Gadgets"

import { ask } from "./casewire.mjs";

const [name] = process.argv.slice(2);
const { organizations } = await ask(`{ organizations(first: 100) { nodes { id name } } }`);
const { id } = organizations.nodes.find((each) => each.name === name);

const LIST = `
  query ($organization: ID!, $after: Cursor) {
    tickets(scope: ORGANIZATION, organizationId: $organization, filter: {},
            orderBy: { field: REFERENCE, direction: ASC }, first: 100, after: $after) {
      totalCount
      nodes { id reference subject status channel isImported requester { displayName } }
      pageInfo { hasNextPage endCursor }
    }
  }`;

const seen = new Map();
for (let page = 1, after = null; ; page++) {
  const { tickets } = await ask(LIST, { organization: id, after });
  for (const ticket of tickets.nodes) seen.set(ticket.id, ticket);
  const [first, last] = [tickets.nodes.at(0), tickets.nodes.at(-1)];
  console.log(`page ${page}: ${tickets.nodes.length} tickets, ${first.reference} to ${last.reference}`);
  if (!tickets.pageInfo.hasNextPage) {
    console.log(`${seen.size} different tickets on ${page} pages; totalCount says ${tickets.totalCount}`);
    break;
  }
  after = tickets.pageInfo.endCursor;
}
const all = [...seen.values()];
console.log(`${all.filter((each) => each.isImported).length} of them are imported`);
for (const status of new Set(all.map((each) => each.status).sort())) {
  console.log(`  ${status}: ${all.filter((each) => each.status === status).length}`);
}
for (const each of all.filter((each) => each.status === "OPEN" && each.channel === "CHAT").slice(0, 3)) {
  console.log(`an open chat: ${each.reference} "${each.subject}" by ${each.requester.displayName}`);
}
