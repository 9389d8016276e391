// Hand a ticket to engineering and move it on, as staff: node escalate.mjs T-000042 submit "What is wrong"
//                                                       node escalate.mjs T-000042 IN_REVIEW "A word about it"
// Give or refuse the customer's word, as the customer:   node escalate.mjs T-000042 confirm
//                                                       node escalate.mjs T-000042 reject "What does not work"

import { ask } from "./casewire.mjs";

const [reference, step, text] = process.argv.slice(2);
const FIND = `query ($reference: String!) { ticketByReference(reference: $reference) { id activeEscalation { id } } }`;
const DO = {
  submit: ["escalationSubmit", "EscalationSubmitInput"],
  confirm: ["escalationConfirmResolution", "EscalationConfirmResolutionInput"],
  reject: ["escalationRejectResolution", "EscalationRejectResolutionInput"],
  advance: ["escalationAdvance", "EscalationAdvanceInput"],
};

const { ticketByReference: ticket } = await ask(FIND, { reference });
const escalationId = ticket.activeEscalation?.id;
const input =
  step === "submit" ? { ticketId: ticket.id, issueDescription: text }
  : step === "confirm" || step === "reject" ? { escalationId, comment: text }
  : { escalationId, stage: step, note: text };
const [mutation, type] = DO[step] ?? DO.advance;
const answer = await ask(
  `mutation ($input: ${type}!) {
    done: ${mutation}(input: $input) { escalation { reference stage } errors { code message } }
  }`,
  { input },
);
const { escalation, errors } = answer.done;
const [refusal] = errors;
console.log(refusal ? `${refusal.code}: ${refusal.message}` : `${escalation.reference} is in ${escalation.stage}`);
