// A server and its client in one Node: sockets, epoll, threads of the pool, files.
const { createServer, get } = require("node:http");
const { readFile } = require("node:fs");

const server = createServer((_request, answer) => {
  readFile(__filename, (_error, text) => answer.end(text));
});
server.listen(0, "127.0.0.1", () => {
  get({ port: server.address().port, host: "127.0.0.1", agent: false }, (answer) => {
    answer.resume();
    answer.on("end", () => server.close());
  });
});
