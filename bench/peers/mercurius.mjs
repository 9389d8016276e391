// mercurius with its just-in-time compiler, for queries and subscriptions.
import Fastify from "fastify"
import mercurius from "mercurius"
import * as data from "./data.mjs"

const app = Fastify({ logger: false })
const resolveType = (value) => value.__typename
const resolvers = {
  Query: {
    tickets: (_, given, { viewer }) => data.tickets(viewer, given),
    ticket: (_, { id }, { viewer }) => data.ticket(viewer, id),
  },
  Ticket: { messages: data.messages, activeEscalation: data.activeEscalation },
  Escalation: { timeline: data.timeline },
  Actor: { resolveType },
  Space: { resolveType },
  Message: { resolveType },
  MessageStreamItem: { resolveType },
  Mutation: {
    messageSend: (_, { input }, { viewer, pubsub }) => {
      const change = data.send(viewer, input)
      pubsub.publish({ topic: input.ticketId, payload: { messages: change } })
      return { message: change.message, errors: [] }
    },
  },
  Subscription: {
    messages: {
      subscribe: (_, { ticketId }, { viewer, pubsub }) => watched(viewer, ticketId, pubsub),
    },
  },
}

async function* watched(viewer, ticketId, pubsub) {
  const changes = await pubsub.subscribe(ticketId)
  const items = data.watched(viewer, ticketId, [])
  for await (const item of items) yield { messages: item }
  yield* changes
}

app.register(mercurius, {
  schema: data.typeDefs,
  resolvers,
  jit: 1,
  context: (request) => ({ viewer: data.viewerOf(request.headers.authorization) }),
  subscription: {
    onConnect: ({ payload }) => ({ viewer: data.viewerOf(payload.authorization) }),
    queueHighWaterMark: 1000,
  },
})
app.post("/publish", async (request, reply) => {
  for (const each of request.body) {
    app.graphql.pubsub.publish({ topic: `Ticket_${each.ticket}`, payload: { messages: data.change(each) } })
  }
  reply.code(204)
})
await app.listen({ port: Number(process.env.PORT), host: "127.0.0.1" })
