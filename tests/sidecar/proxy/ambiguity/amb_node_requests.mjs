// Reads streams of bytes with Node's own HTTP server (default, strict parser) and says what it made of each.
// In: one base64 text a line. Out: one JSON object a line, in the same order.
import http from "node:http";
import net from "node:net";
import readline from "node:readline";

const found = new Map(); // port of the client's end -> what its connection held
const latin1 = (text) => Buffer.from(text, "latin1").toString("base64");

function note(request, kind) {
  const of = found.get(request.socket.remotePort);
  const entry = { kind, method: request.method, target: latin1(request.url), raw: request.rawHeaders.map(latin1), body: "", whole: false,
    trailers: 0, behind: 0, path: "" };
  try {
    entry.path = latin1(new URL(request.url, "http://" + request.headers.host).pathname);
  } catch (error) {
    entry.path = latin1(String(error));
  }
  of.requests.push(entry);
  return entry;
}

function serve(kind) {
  return (request, response) => {
    const entry = note(request, kind);
    const pieces = [];
    request.on("data", (piece) => pieces.push(piece));
    request.on("error", () => {});
    request.on("end", () => {
      entry.body = Buffer.concat(pieces).toString("base64");
      entry.trailers = request.rawTrailers.length;
      entry.whole = request.complete;
      response.end("ok");
    });
  };
}

const server = http.createServer({ maxHeaderSize: 1 << 20, keepAliveTimeout: 60000, headersTimeout: 60000, requestTimeout: 60000 },
  serve("request"));
server.maxHeadersCount = 0;
server.on("checkContinue", serve("checkContinue"));
server.on("checkExpectation", serve("checkExpectation"));
for (const kind of ["upgrade", "connect"])
  server.on(kind, (request, socket, head) => { // all that follows is no HTTP to Node
    const entry = note(request, kind);
    entry.whole = true;
    entry.behind = head.length;
    socket.on("data", (piece) => { entry.behind += piece.length; });
    socket.on("error", () => {});
  });
server.on("clientError", (error, socket) => {
  const of = found.get(socket.remotePort);
  if (of) of.refused = String(error.code || error.message);
  socket.destroy();
});
server.on("connection", (socket) => {
  const of = found.get(socket.remotePort) || { requests: [], refused: "" };
  of.socket = socket;
  found.set(socket.remotePort, of);
});

// The parser runs as bytes come in; what was sent has been read once the socket has counted all of it.
function read(data) {
  return new Promise((resolve) => {
    const client = net.connect(server.address().port, "127.0.0.1", () => {
      const port = client.localPort;
      if (!found.has(port)) found.set(port, { requests: [], refused: "" });
      client.write(data);
      let quiet = 0;
      const look = () => {
        const of = found.get(port);
        const all = of.refused || (of.socket && of.socket.bytesRead >= data.length);
        quiet = all ? quiet + 1 : 0;
        if (quiet < 6) return setImmediate(look);
        found.delete(port);
        client.destroy();
        resolve({ requests: of.requests, refused: of.refused });
      };
      look();
    });
    client.on("error", () => {});
    client.resume();
  });
}

server.listen(0, "127.0.0.1", async () => {
  for await (const line of readline.createInterface({ input: process.stdin }))
    process.stdout.write(JSON.stringify(await read(Buffer.from(line, "base64"))) + "\n");
  process.exit(0);
});
