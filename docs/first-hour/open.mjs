// Open a ticket: node open.mjs T-000042

import { ask } from "./casewire.mjs";

const OPEN = `
  query ($reference: String!) {
    ticketByReference(reference: $reference) {
      id reference subject displayStatus priority channel isImported createdAt feedCursor
      organization { name } requester { displayName email } product { name }
      messages(first: 50) {
        totalCount
        nodes { __typename sequence visibility occurredAt actor { displayName } body }
      }
    }
  }`;

const { ticketByReference } = await ask(OPEN, { reference: process.argv[2] });
console.log(JSON.stringify(ticketByReference, null, 2));
