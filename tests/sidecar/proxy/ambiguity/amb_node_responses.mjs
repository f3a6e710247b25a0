// Reads responses with Node's own HTTP client: one or two requests over a keep-alive agent, answered with given
// bytes. In, a line each: METHOD FIRST SECOND (base64; "=": nothing; SECOND "-": no second request, the
// connection ends behind FIRST). Out: one JSON object a line, in the same order.
import http from "node:http";
import net from "node:net";
import readline from "node:readline";

const latin1 = (text) => Buffer.from(text, "latin1").toString("base64");
const bytes = (text) => (text === "=" ? Buffer.alloc(0) : Buffer.from(text, "base64"));

function ask(agent, port, method, found) {
  return new Promise((resolve) => {
    let response = null;
    const pieces = [];
    const done = (refused) => {
      if (response)
        found.answers.push({ status: response.statusCode, raw: response.rawHeaders.map(latin1), whole: response.complete,
          body: Buffer.concat(pieces).toString("base64") });
      if (refused && !found.refused) found.refused = refused;
      resolve();
    };
    const request = http.request({ agent, port, host: "127.0.0.1", method, path: "/", maxHeaderSize: 1 << 20 });
    request.on("response", (message) => {
      response = message;
      message.on("data", (piece) => pieces.push(piece));
      message.on("error", () => {});
      message.on("close", () => done(""));
    });
    request.on("upgrade", (message, socket) => { socket.destroy(); done("upgrade"); });
    request.on("error", (error) => {
      // a response that was begun tells by itself that it was cut; what could not be parsed is told either way
      const parsed = String(error.code || "").startsWith("HPE_");
      if (!response) done(parsed ? error.code : "");
      else if (parsed) found.refused = error.code;
    });
    request.end();
  });
}

async function read(method, first, second) {
  const found = { answers: [], refused: "", reused: false };
  const sockets = [];
  const server = net.createServer((socket) => {
    sockets.push(socket);
    if (sockets.length > 1) return socket.destroy();
    let held = "";
    let turn = 0;
    socket.on("error", () => {});
    socket.on("data", (data) => {
      held += data.toString("latin1");
      if (!held.includes("\r\n\r\n")) return;
      held = "";
      turn += 1;
      if (turn === 2) found.reused = true;
      const answer = turn === 1 ? first : second;
      if (turn === 2 || second === null) socket.end(answer);
      else socket.write(answer);
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  agent.on("free", (socket) => socket.on("error", () => {}));
  const port = server.address().port;
  await ask(agent, port, method, found);
  if (second !== null) {
    for (let turn = 0; turn < 6; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    await ask(agent, port, "GET", found);
  }
  agent.destroy();
  for (const socket of sockets) socket.destroy();
  server.close();
  return found;
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  const [method, first, second] = line.split(" ");
  const found = await read(method, bytes(first), second === "-" ? null : bytes(second));
  process.stdout.write(JSON.stringify(found) + "\n");
}
process.exit(0);
