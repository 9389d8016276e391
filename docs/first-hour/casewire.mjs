// What the clients of this folder share: a token that is always fresh, queries over HTTP, subscriptions that come back.
//
// CASEWIRE      where the server is, http://127.0.0.1:8000 unless given
// AS            whom to sign in as, sam@orba.example of the demo world unless given
// TOKEN         a bearer token instead, such as `python -m server token` prints

import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "graphql-ws";
import WebSocket from "ws";

const server = process.env.CASEWIRE ?? "http://127.0.0.1:8000";
const person = process.env.AS ?? "sam@orba.example";

let tokens = process.env.TOKEN ? { access: process.env.TOKEN, goodUntil: Infinity } : null;
let refreshing = null;

/** An access token that is good for another 30 seconds at least. All callers share one refresh: see docs/clients.md. */
export async function freshToken() {
  if (tokens && Date.now() < tokens.goodUntil - 30_000) return tokens.access;
  refreshing ??= signIn().finally(() => (refreshing = null));
  tokens = await refreshing;
  return tokens.access;
}

async function signIn() {
  const grant = tokens
    ? { grant_type: "refresh_token", refresh_token: tokens.refresh }
    : { grant_type: "password", username: person, password: "casewire-demo" };
  const answer = await post("/auth/token", grant);
  if (answer.error) throw new Error(answer.error_description);
  return {
    access: answer.access_token,
    refresh: answer.refresh_token,
    goodUntil: Date.now() + 1000 * answer.expires_in,
  };
}

/** The data of a query or mutation. Errors of the whole request are thrown; refusals are in the payload's `errors`. */
export async function ask(query, variables = {}) {
  const answer = await post("/graphql", { query, variables }, { authorization: `Bearer ${await freshToken()}` });
  if (answer.errors) throw new Error(answer.errors.map((each) => each.message).join("; "));
  return answer.data;
}

async function post(path, body, headers = {}) {
  const response = await fetch(server + path, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(10_000),
  });
  return response.json();
}

/** `ask` until there is an answer. Only for what may be sent twice: a query, or a mutation with a key of its own. */
export async function askPatiently(query, variables) {
  for (let tries = 0; ; tries++) {
    try {
      return await ask(query, variables);
    } catch (problem) {
      if (!(problem instanceof TypeError) && problem.name !== "TimeoutError") throw problem; // fetch: no connection
      await sleep(wait(tries));
    }
  }
}

/** Full jitter: clients that fell together do not come back together. */
const wait = (tries) => Math.random() * Math.min(10_000, 500 * 2 ** tries);

export const live = createClient({
  url: server.replace(/^http/, "ws") + "/graphql",
  webSocketImpl: WebSocket,
  retryAttempts: Infinity,
  shouldRetry: () => true,
  retryWait: (retries) => sleep(wait(retries)),
  connectionParams: async () => ({ authorization: `Bearer ${await freshToken()}` }),
  on: {
    connected: (_, __, again) => console.log(again ? "-- connected again" : "-- connected"),
    closed: (event) => console.log(`-- the connection is gone (${event.code})`),
  },
});

/** Follow a subscription from `place.after` on; `take(item)` is called for each item and has to move `place.after`. */
export function follow(query, ticketId, place, take) {
  const variables = {
    ticketId,
    get after() {
      return place.after; // asked at every resubscription
    },
  };
  return new Promise((ended, failed) =>
    live.subscribe(
      { query, variables },
      {
        next: ({ data, errors }) => (errors ? failed(new Error(errors[0].message)) : take(Object.values(data)[0])),
        error: (problem) => failed(Array.isArray(problem) ? new Error(problem[0].message) : problem),
        complete: ended,
      },
    ),
  );
}
