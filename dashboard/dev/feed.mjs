/**
 * A server for looking at the pages without the rest of Waystock: serves the built files, answers the
 * REST lists and speaks the live protocol with an invented fleet. Development only, never shipped.
 *
 *   node dev/feed.mjs [--port 8765] [--scene normal|calm|flood|empty|long] [--sign-in]
 *
 * With --sign-in it wants `demo` / `demo` (or the bearer `screen-token`). SIGTERM stops it;
 * SIGSTOP makes it a server that hangs.
 */
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { parseArgs } from "node:util";

import { WebSocketServer } from "ws";

import { makeWorld } from "./world.mjs";

const { values: options } = parseArgs({
  options: {
    port: { type: "string", default: "8765" },
    scene: { type: "string", default: "normal" },
    "sign-in": { type: "boolean", default: false },
  },
});

const ROOT = new URL("../../api/waystock_api/static", import.meta.url).pathname;
const TYPES = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".json": "application/json",
};
/** The api's policy, so that a page that breaks it is seen here. */
const POLICY =
  "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; " +
  "img-src 'self' data: blob:; connect-src 'self'; worker-src 'self' blob:; object-src 'none'; " +
  "base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
const TICK_MS = 1000;
const BEAT_MS = 5000;

const world = makeWorld(options.scene);
const epoch = String(Date.now());

const server = createServer((request, response) => {
  answer(request, response).catch((error) => {
    console.error(error);
    response.writeHead(500).end();
  });
});

async function answer(request, response) {
  const { pathname } = new URL(request.url, "http://feed");
  if (!pathname.startsWith("/api/")) return file(pathname, response);
  if (pathname === "/api/v1/login") return login(request, response);
  if (!allowed(request)) return json(response, 401, { detail: "sign in first" });
  const lists = { sites: world.sites, products: world.products, shipments: world.shipments };
  const name = pathname.slice("/api/v1/".length);
  if (name === "me") return json(response, 200, { user: "demo", role: "viewer" });
  if (name in lists) return json(response, 200, { items: lists[name], next: null });
  const track = /^vehicles\/([^/]+)\/track$/.exec(name);
  if (track) return json(response, 200, { items: world.track(track[1]), next: null });
  return json(response, 404, { detail: "no such path" });
}

async function login(request, response) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const { username, password } = JSON.parse(Buffer.concat(chunks).toString());
  if (username !== "demo" || password !== "demo") {
    return json(response, 401, { detail: "user name or password is wrong" });
  }
  response.setHeader("Set-Cookie", "feed=1; HttpOnly; SameSite=Strict; Path=/");
  return json(response, 200, { user: "demo", role: "viewer" });
}

function allowed(request) {
  if (!options["sign-in"]) return true;
  const bearer = request.headers.authorization === "Bearer screen-token";
  return bearer || (request.headers.cookie ?? "").includes("feed=1");
}

async function file(pathname, response) {
  const path = normalize(join(ROOT, pathname === "/" ? "index.html" : pathname));
  try {
    const body = await readFile(path);
    response.setHeader("Content-Security-Policy", POLICY);
    response.writeHead(200, { "Content-Type": TYPES[extname(path)] ?? "application/octet-stream" });
    response.end(body);
  } catch {
    response.writeHead(404).end("not found");
  }
}

function json(response, status, body) {
  response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
}

const sockets = new WebSocketServer({ server, path: "/api/v1/live" });
const clients = new Set();

sockets.on("connection", (socket, request) => {
  const client = { socket, in: allowed(request), subs: new Map() };
  clients.add(client);
  if (!client.in) setTimeout(() => client.in || socket.close(4401), 5000);
  socket.on("close", () => clients.delete(client));
  socket.on("message", (data) => heard(client, JSON.parse(data.toString())));
});

function heard(client, frame) {
  if (frame.type === "auth") {
    client.in = frame.token === "screen-token" || !options["sign-in"];
    if (!client.in) client.socket.close(4401);
  } else if (!client.in) {
    client.socket.close(4401);
  } else if (frame.type === "sub") {
    client.subs.set(frame.id, { ch: frame.ch, seq: 1 });
    const entities = [...world.channel(frame.ch).values()];
    const half = Math.ceil(entities.length / 2);
    const parts =
      entities.length > 10 ? [entities.slice(0, half), entities.slice(half)] : [entities];
    parts.forEach((d, i) => {
      send(client, { type: "snap", id: frame.id, epoch, seq: 1, part: i + 1, of: parts.length, d });
    });
  } else if (frame.type === "unsub") {
    client.subs.delete(frame.id);
  }
}

function send(client, frame) {
  client.socket.send(JSON.stringify(frame));
}

function tick() {
  const changes = world.step(TICK_MS / 1000);
  for (const client of clients) {
    for (const [id, sub] of client.subs) {
      const up = changes[sub.ch] ?? [];
      if (up.length === 0) continue;
      sub.seq += 1;
      send(client, { type: "delta", id, seq: sub.seq, prev: sub.seq - 1, up, rm: [] });
    }
  }
}

function beat() {
  for (const client of clients) {
    if (client.in) send(client, { type: "beat", at: new Date().toISOString() });
  }
}

setInterval(tick, TICK_MS);
setInterval(beat, BEAT_MS);
server.listen(Number(options.port), "127.0.0.1", () => {
  console.error(`feed: http://127.0.0.1:${options.port}/ (${options.scene})`);
});
process.on("SIGTERM", () => process.exit(0));
