// Compare what watch.mjs wrote down with what the ticket has: node check.mjs T-000042

import { readFileSync } from "node:fs";
import { ask } from "./casewire.mjs";

const [reference] = process.argv.slice(2);
const PAGE = `
  query ($reference: String!, $after: Cursor) {
    ticketByReference(reference: $reference) {
      messages(first: 100, after: $after) { nodes { sequence body } pageInfo { hasNextPage endCursor } }
    }
  }`;

const stored = [];
for (let after = null, more = true; more; ) {
  const { nodes, pageInfo } = (await ask(PAGE, { reference, after })).ticketByReference.messages;
  stored.push(...nodes);
  [after, more] = [pageInfo.endCursor, pageInfo.hasNextPage];
}
const lines = readFileSync(`${reference}.journal`, "utf8").trimEnd().split("\n").map((line) => JSON.parse(line));
const got = lines.filter((line) => line.sequence);
const numbers = got.map((line) => line.sequence);
const bodies = new Map(got.map((line) => [line.sequence, line.body]));

const texts = new Set(stored.map((each) => each.body));
console.log(`stored on the ticket:   ${stored.length}, ${texts.size} different texts`);
console.log(`in the journal:         ${got.length}`);
console.log(`missing:                ${stored.filter((each) => bodies.get(each.sequence) !== each.body).length}`);
console.log(`more than once:         ${numbers.length - new Set(numbers).size}`);
console.log(`out of order:           ${numbers.filter((n, at) => at > 0 && n < numbers[at - 1]).length}`);
