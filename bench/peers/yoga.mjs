// graphql-yoga for queries, graphql-ws for subscriptions, as their documentation puts them together.
import { createServer } from "node:http"
import { createPubSub, createSchema, createYoga } from "graphql-yoga"
import { useServer } from "graphql-ws/use/ws"
import { WebSocketServer } from "ws"
import * as data from "./data.mjs"

const pubSub = createPubSub()
const resolvers = {
  Query: {
    tickets: (_, given, { viewer }) => data.tickets(viewer, given),
    ticket: (_, { id }, { viewer }) => data.ticket(viewer, id),
  },
  Ticket: { messages: data.messages, activeEscalation: data.activeEscalation },
  Escalation: { timeline: data.timeline },
  Mutation: {
    messageSend: (_, { input }, { viewer }) => {
      const change = data.send(viewer, input)
      pubSub.publish(input.ticketId, change)
      return { message: change.message, errors: [] }
    },
  },
  Subscription: {
    messages: {
      subscribe: (_, { ticketId }, { viewer }) => data.watched(viewer, ticketId, pubSub.subscribe(ticketId)),
      resolve: (item) => item,
    },
  },
}
const schema = createSchema({ typeDefs: data.typeDefs, resolvers })
const yoga = createYoga({
  schema,
  logging: false,
  maskedErrors: false,
  context: ({ request }) => ({ viewer: data.viewerOf(request.headers.get("authorization")) }),
})
const server = createServer((request, response) => {
  if (request.url !== "/publish") return yoga(request, response)
  let body = ""
  request.on("data", (chunk) => (body += chunk))
  request.on("end", () => {
    for (const each of JSON.parse(body)) pubSub.publish(`Ticket_${each.ticket}`, data.change(each))
    response.writeHead(204).end()
  })
})
const sockets = new WebSocketServer({ server, path: "/graphql", perMessageDeflate: false })
useServer(
  {
    schema,
    onConnect: ({ connectionParams, extra }) => {
      extra.viewer = data.viewerOf(connectionParams.authorization)
    },
    context: ({ extra }) => ({ viewer: extra.viewer }),
  },
  sockets,
)
server.listen(Number(process.env.PORT), "127.0.0.1")
