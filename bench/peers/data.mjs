// What both JavaScript servers do below GraphQL: tokens, viewers, statements and rows, over better-sqlite3.
// Prepared statements, one join per level, dates as the text that is stored: the quickest way they document.
import { createHmac, randomUUID, timingSafeEqual } from "node:crypto"
import { readFileSync } from "node:fs"
import Database from "better-sqlite3"

export const typeDefs = readFileSync(new URL("schema.graphql", import.meta.url), "utf8")

const path = process.env.BENCH_DATABASE_URL.replace("sqlite://", "")
const key = Buffer.from(process.env.BENCH_TOKEN_KEY, "hex")
const reader = new Database(path, { readonly: true })
reader.pragma("cache_size = -65536")
const writer = new Database(path)
for (const pragma of ["busy_timeout = 10000", "synchronous = NORMAL", "foreign_keys = ON"]) writer.pragma(pragma)

const prepared = new Map()
const rows = (sql, ...values) => {
  let statement = prepared.get(sql)
  if (!statement) prepared.set(sql, (statement = reader.prepare(sql).raw()))
  return statement.all(...values)
}

// --- who asks

const MANAGERS = new Set(["OWNER", "ADMIN", "SUPPORT_REQUEST_ADMIN"])
const VIEWER = `
  SELECT u.staff_role, m.organization_id, m.role, o.member_visibility FROM app_user u
  LEFT JOIN membership m ON m.user_id = u.id LEFT JOIN organization o ON o.id = m.organization_id
  WHERE u.id = ? AND u.is_active ORDER BY m.joined_at, m.id`

export function viewerOf(authorization) {
  const token = (authorization ?? "").replace(/^Bearer /, "")
  const end = token.lastIndexOf(".")
  const expected = createHmac("sha256", key).update(token.slice(0, end)).digest()
  const signature = Buffer.from(token.slice(end + 1), "base64url")
  if (signature.length !== expected.length || !timingSafeEqual(signature, expected)) throw new Error("UNAUTHENTICATED")
  const claims = JSON.parse(Buffer.from(token.slice(token.indexOf(".") + 1, end), "base64url"))
  const good = claims.iss === "casewire" && claims.aud === "casewire" && claims.exp > Date.now() / 1000
  const found = good ? rows(VIEWER, claims.sub) : []
  if (!found.length) throw new Error("UNAUTHENTICATED")
  const viewer = { id: claims.sub, isStaff: found[0][0] !== null, sees: new Set(), member: [], manages: [] }
  for (const [, organization, role, visibility] of found) {
    if (organization === null) continue
    viewer.member.push(organization)
    if (MANAGERS.has(role)) viewer.manages.push(organization)
    const ordinary = role === "MEMBER" || role === "READ_ONLY"
    if (MANAGERS.has(role) || (ordinary && visibility === "OPEN")) viewer.sees.add(organization)
  }
  return viewer
}

// --- the two queries

const ACTIVE = new Set(["NEW", "OPEN", "PENDING_CUSTOMER", "ON_HOLD"])
const marks = (values) => values.map(() => "?").join(", ") || "NULL"
const cursor = (mark, value, id) => Buffer.from(JSON.stringify([mark, value, id])).toString("base64url")
const displayStatus = (status, escalated) => (escalated && ACTIVE.has(status) ? "ESCALATED" : status)
const person = (id, displayName, avatarUrl, email) =>
  id && { __typename: "User", id: `User_${id}`, displayName, avatarUrl, email }
const SYSTEM = { __typename: "SystemActor", id: "SystemActor_casewire", displayName: "Casewire", avatarUrl: null }

const LIST = (viewer, after) => `
  SELECT t.id, t.reference, t.subject, t.status, t.is_escalated, t.priority, t.channel, t.created_at,
         t.last_activity_at, r.id, r.display_name,
         CASE WHEN r.id = ? OR EXISTS (SELECT 1 FROM membership m WHERE m.user_id = r.id
                                       AND m.organization_id IN (${marks(viewer.manages)})) THEN r.email END,
         o.id, o.name, a.id, a.display_name, a.avatar_url, s.id, s.kind, s.name, p.id, p.name
  FROM ticket t JOIN organization o ON o.id = t.organization_id
  LEFT JOIN app_user r ON r.id = t.requester_id LEFT JOIN app_user a ON a.id = t.assignee_id
  LEFT JOIN space s ON s.id = t.space_id AND s.organization_id IN (${marks(viewer.member)})
  LEFT JOIN product p ON p.id = t.product_id
  WHERE t.organization_id = ? AND (t.requester_id = ? OR t.confidentiality = 'ORGANIZATION')
    AND t.status IN ('NEW', 'OPEN', 'PENDING_CUSTOMER', 'ON_HOLD')
    ${after ? "AND t.last_activity_at <= ? AND (t.last_activity_at < ? OR t.id < ?)" : ""}
  ORDER BY t.last_activity_at DESC, t.id DESC LIMIT ?`

export function tickets(viewer, { organizationId, first, after }) {
  const asked = organizationId.replace("Organization_", "")
  if (!viewer.sees.has(asked)) throw new Error("FORBIDDEN")
  const beyond = []
  if (after) {
    const [, value, id] = JSON.parse(Buffer.from(after, "base64url"))
    beyond.push(value, value, id)
  }
  const values = [viewer.id, ...viewer.manages, ...viewer.member, asked, viewer.id, ...beyond, first + 1]
  const found = rows(LIST(viewer, after), ...values)
  const hasNextPage = found.length > first
  if (hasNextPage) found.pop()
  const last = found.at(-1)
  return {
    nodes: found.map(listed),
    pageInfo: { hasNextPage, endCursor: last && cursor("tickets by activity:desc", last[8], last[0]) },
  }
}

function listed(row) {
  const kind = row[18] === "ROOM" ? "Room" : "Desk"
  return {
    id: `Ticket_${row[0]}`,
    reference: row[1],
    subject: row[2],
    status: row[3],
    displayStatus: displayStatus(row[3], row[4]),
    priority: row[5],
    channel: row[6],
    createdAt: row[7],
    lastActivityAt: row[8],
    requester: person(row[9], row[10], null, row[11]),
    organization: { id: `Organization_${row[12]}`, name: row[13] },
    assignee: person(row[14], row[15], row[16], null),
    space: row[17] && { __typename: kind, id: `${kind}_${row[17]}`, name: row[19] },
    product: row[20] && { id: `Product_${row[20]}`, name: row[21] },
  }
}

const TICKET = `
  SELECT t.id, t.reference, t.subject, t.description, t.status, t.is_escalated, t.version, t.last_sequence,
         (SELECT epoch || ':' || head FROM feed_stream WHERE topic = 'ticket:' || t.id), t.created_at,
         r.id, r.display_name, r.email, a.id, a.display_name
  FROM ticket t LEFT JOIN app_user r ON r.id = t.requester_id LEFT JOIN app_user a ON a.id = t.assignee_id
  WHERE t.id = ?`

export function ticket(viewer, id) {
  if (!viewer.isStaff) throw new Error("FORBIDDEN")
  const [row] = rows(TICKET, id.replace("Ticket_", ""))
  return row
    ? {
        key: row[0],
        id: `Ticket_${row[0]}`,
        reference: row[1],
        subject: row[2],
        description: row[3],
        status: row[4],
        displayStatus: displayStatus(row[4], row[5]),
        isEscalated: row[5],
        version: row[6],
        lastSequence: row[7],
        feedCursor: Buffer.from(row[8] ?? "-:0").toString("base64url"),
        createdAt: row[9],
        requester: person(row[10], row[11], null, row[12]),
        assignee: person(row[13], row[14], null, null),
      }
    : null
}

const MESSAGES = `
  SELECT m.kind, m.id, m.sequence, m.occurred_at, m.body, m.visibility, m.source, m.delivery_state, m.automatic,
         u.id, u.display_name, u.avatar_url
  FROM message m LEFT JOIN app_user u ON u.id = m.actor_id WHERE m.ticket_id = ? ORDER BY m.sequence DESC LIMIT ?`
const KINDS = { CHAT: "ChatMessage", EMAIL: "EmailMessage", NOTE: "Note" }

export function messages({ key }, { last }) {
  const found = rows(MESSAGES, key, last + 1)
  const hasPreviousPage = found.length > last
  if (hasPreviousPage) found.pop()
  found.reverse()
  const first = found[0]
  return {
    nodes: found.map(message),
    pageInfo: { hasPreviousPage, startCursor: first && cursor("timeline:asc", first[2], first[1]) },
  }
}

function message(row) {
  const __typename = KINDS[row[0]]
  return {
    __typename,
    id: `${__typename}_${row[1]}`,
    sequence: row[2],
    occurredAt: row[3],
    body: row[4],
    visibility: row[5],
    source: row[6],
    deliveryState: row[7],
    actor: row[8] ? SYSTEM : person(row[9], row[10], row[11], null),
  }
}

const ESCALATION = `
  SELECT e.id, e.reference, e.stage, e.submitted_at, e.estimated_resolution_at, u.id, u.display_name
  FROM escalation e LEFT JOIN app_user u ON u.id = e.submitted_by_id
  WHERE e.ticket_id = ? AND e.stage <> 'RESOLVED' ORDER BY e.submitted_at LIMIT 1`
const ENTRIES = `
  SELECT n.id, n.sequence, n.stage, n.entered_at, n.note, n.internal_note, n.automatic, u.id, u.display_name
  FROM escalation_entry n LEFT JOIN app_user u ON u.id = n.actor_id
  WHERE n.escalation_id = ? ORDER BY n.sequence LIMIT ?`

export function activeEscalation({ key, isEscalated }) {
  const [row] = isEscalated ? rows(ESCALATION, key) : []
  return row
    ? {
        key: row[0],
        id: `Escalation_${row[0]}`,
        reference: row[1],
        stage: row[2],
        submittedAt: row[3],
        estimatedResolutionAt: row[4],
        requiresCustomerAction: row[2] === "VERIFYING_RESOLUTION",
        submittedBy: person(row[5], row[6], null, null),
      }
    : null
}

export function timeline({ key }, { first }) {
  return { nodes: rows(ENTRIES, key, first).map(entry) }
}

function entry(row) {
  return {
    id: `EscalationTimelineEntry_${row[0]}`,
    sequence: row[1],
    stage: row[2],
    enteredAt: row[3],
    note: row[4],
    internalNote: row[5],
    actor: row[6] ? SYSTEM : person(row[7], row[8], null, null),
  }
}

// --- the chat

const number = writer.prepare("UPDATE ticket SET last_sequence = last_sequence + 1 WHERE id = ? RETURNING last_sequence")
const store = writer.prepare(`
  INSERT INTO message (id, ticket_id, sequence, public_sequence, visibility, automatic, occurred_at, kind, source,
                       delivery_state, body, client_message_id, actor_id)
  VALUES (?, ?, ?, ?, 'PUBLIC', 0, ?, 'CHAT', 'PORTAL', 'SENT', ?, ?, ?)`)
const save = writer.transaction((ticket, id, at, body, clientMessageId, actor) => {
  const { last_sequence: sequence } = number.get(ticket)
  store.run(id, ticket, sequence, sequence, at, body, clientMessageId, actor)
  return sequence
})

/** Stores a message and returns it as a change to publish on its ticket. */
export function send(viewer, { ticketId, message: { body }, clientMessageId }) {
  const ticket = ticketId.replace("Ticket_", "")
  const id = randomUUID()
  const at = new Date().toISOString()
  const sequence = save.immediate(ticket, id, at, body, clientMessageId, viewer.id)
  return change({ ticket, id, sequence, at, body, actor: viewer.id })
}

export function change({ id, sequence, at, body, actor }) {
  return {
    __typename: "MessageChange",
    changeType: "ADDED",
    cursor: `${sequence}`,
    message: message(["CHAT", id, sequence, at, body, "PUBLIC", "PORTAL", "SENT", 0, actor, "Person", null]),
  }
}

const VISIBLE = "SELECT organization_id FROM ticket WHERE id = ?"

/** What a subscriber is sent: that it has caught up, then every change. */
export async function* watched(viewer, ticketId, changes) {
  const [row] = rows(VISIBLE, ticketId.replace("Ticket_", ""))
  if (!row || !(viewer.isStaff || viewer.sees.has(row[0]))) throw new Error("NOT_FOUND")
  yield { __typename: "StreamCaughtUp", cursor: "-" }
  yield* changes
}
