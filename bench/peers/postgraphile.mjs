// PostGraphile on PostgreSQL, with its recommended preset: the schema comes from the tables and postgraphile.sql.
import { createHmac, timingSafeEqual } from "node:crypto"
import { readFileSync } from "node:fs"
import { createServer } from "node:http"
import pg from "pg"
import { postgraphile } from "postgraphile"
import { makePgService } from "postgraphile/adaptors/pg"
import { grafserv } from "postgraphile/grafserv/node"
import { PostGraphileAmberPreset } from "postgraphile/presets/amber"

const connectionString = process.env.BENCH_DATABASE_URL
const key = Buffer.from(process.env.BENCH_TOKEN_KEY, "hex")

const setup = new pg.Client({ connectionString })
await setup.connect()
await setup.query(readFileSync(new URL("postgraphile.sql", import.meta.url), "utf8"))
await setup.end()

function subject(authorization) {
  const token = (authorization ?? "").replace(/^Bearer /, "")
  const end = token.lastIndexOf(".")
  const expected = createHmac("sha256", key).update(token.slice(0, end)).digest()
  const signature = Buffer.from(token.slice(end + 1), "base64url")
  if (signature.length !== expected.length || !timingSafeEqual(signature, expected)) throw new Error("UNAUTHENTICATED")
  const claims = JSON.parse(Buffer.from(token.slice(token.indexOf(".") + 1, end), "base64url"))
  if (claims.exp <= Date.now() / 1000) throw new Error("UNAUTHENTICATED")
  return claims.sub
}

const preset = {
  extends: [PostGraphileAmberPreset],
  pgServices: [makePgService({ connectionString, schemas: ["public"] })],
  grafserv: { graphqlPath: "/graphql", graphiql: false, watch: false },
  grafast: {
    context: ({ node }) => ({ pgSettings: { "viewer.id": subject(node?.req.headers.authorization) } }),
  },
}
const server = createServer()
const instance = postgraphile(preset)
await instance.createServ(grafserv).addTo(server)
if (process.env.BENCH_PRINT_SCHEMA) {
  const { printSchema } = await import("graphql")
  console.log(printSchema(await instance.getSchema()))
}
server.listen(Number(process.env.PORT), "127.0.0.1")
