// Write in a ticket, once: node send.mjs T-000042 "Hello"      or often: node send.mjs T-000042 "Number" 300
//
// Every message has an id of its own that is kept until an answer comes: sent again, it is not stored again.

import { randomUUID } from "node:crypto";
import { askPatiently } from "./casewire.mjs";

const [reference, text, count] = process.argv.slice(2);

const FIND = `query ($reference: String!) { ticketByReference(reference: $reference) { id } }`;
const SEND = `
  mutation ($input: MessageSendInput!) {
    messageSend(input: $input) { message { sequence } ticket { displayStatus } errors { code message } }
  }`;

const { ticketByReference: ticket } = await askPatiently(FIND, { reference });
for (let n = 1; n <= Number(count ?? 1); n++) {
  const body = count ? `${text} ${n}` : text;
  const input = { ticketId: ticket.id, message: { body }, clientMessageId: randomUUID() };
  const { messageSend } = await askPatiently(SEND, { input });
  if (messageSend.errors.length) throw new Error(messageSend.errors[0].message);
  const { message, ticket: now } = messageSend;
  if (!count) console.log(`sent as number ${message.sequence}; the ticket is ${now.displayStatus}`);
}
if (count) console.log(`${count} messages were sent and acknowledged`);
