// Tests of the native addon, in plain JavaScript so that every Node since 20 runs them. Whatever could take the process
// down when it goes wrong runs in a child process whose exit code and signal are looked at.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";

const root = fileURLToPath(new URL("../..", import.meta.url));
const path = process.env.SKEP_NATIVE || join(root, "prebuilds", `linux-${process.arch}`, "skep.node");
const n = load(path);

const NR = {
  x64: {
    read: 0,
    write: 1,
    close: 3,
    getpid: 39,
    getppid: 110,
    lseek: 8,
    ftruncate: 77,
    eventfd2: 290,
    pipe2: 293,
    memfd_create: 319,
    wait4: 61,
    bpf: 321,
  },
  arm64: {
    read: 63,
    write: 64,
    close: 57,
    getpid: 172,
    getppid: 173,
    lseek: 62,
    ftruncate: 46,
    eventfd2: 19,
    pipe2: 59,
    memfd_create: 279,
    wait4: 260,
    bpf: 280,
  },
}[process.arch];

const ERR = { EPERM: -1, EBADF: -9, EINVAL: -22 };
const RW = 3;
const SHARED = 1;
const ANON = 0x22;

function load(file) {
  const module = { exports: {} };
  process.dlopen(module, file);
  return module.exports;
}

// What every child and worker starts with.
const PREAMBLE = `
const load = (file) => { const m = { exports: {} }; process.dlopen(m, file); return m.exports; };
const file = ${JSON.stringify(path)};
const n = load(file);
const NR = ${JSON.stringify(NR)};
const assert = require("node:assert/strict");
const fs = require("node:fs");
const { Worker, isMainThread, parentPort } = require("node:worker_threads");
const pipe = () => { const p = new Int32Array(2); assert.equal(n.syscall(NR.pipe2, p, 0), 0); return [p[0], p[1]]; };
const put = (fd, text = "x") => n.syscall(NR.write, fd, Buffer.from(text), text.length);
const get = (fd) => { const b = new Uint8Array(4096); const k = n.syscall(NR.read, fd, b, 4096); return k < 0 ? k : Buffer.from(b.subarray(0, k)).toString(); };
const memfd = (name, size) => { const fd = n.syscall(NR.memfd_create, Buffer.from(name + "\\0"), 0); assert.ok(fd >= 0); assert.equal(n.syscall(NR.ftruncate, fd, size), 0); return fd; };
const mapped = (name) => fs.readFileSync("/proc/self/maps", "utf8").split("\\n").filter((l) => l.includes("/memfd:" + name)).length;
const fds = () => fs.readdirSync("/proc/self/fd").length;
const vm = () => Number(/VmSize:\\s+(\\d+)/.exec(fs.readFileSync("/proc/self/status", "utf8"))[1]);
const tick = () => new Promise((r) => setImmediate(r));
const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
const settle = async () => { for (let i = 0; i < 6; i++) { globalThis.gc?.(); await sleep(5); } };
const worker = (code) => new Worker(WORKER + code, { eval: true });
`;
const WORKER = `const WORKER = ${JSON.stringify(PREAMBLE)};\n`;

const env = { ...process.env };
delete env.NODE_EXTRA_CA_CERTS; // reading it makes every start slower

/** Runs code in a child process and resolves to { status, signal, stdout, stderr }. */
function child(code, { flags = [], timeout = 30_000, more = {} } = {}) {
  return new Promise((resolve, reject) => {
    const source = `${WORKER}${PREAMBLE}(async () => {${code}\n})();`;
    const run = spawn(process.execPath, [...flags, "-e", source], { env: { ...env, ...more } });
    let stdout = "";
    let stderr = "";
    run.stdout.on("data", (data) => (stdout += data));
    run.stderr.on("data", (data) => (stderr += data));
    const timer = setTimeout(() => run.kill("SIGKILL"), timeout);
    run.on("error", reject);
    run.on("close", (status, signal) => {
      clearTimeout(timer);
      resolve({ status, signal, stdout: stdout.trim(), stderr });
    });
  });
}

/** Asserts how the child ended and what it printed. */
async function expectChild(code, { status = 0, signal = null, stdout, stderr, ...options } = {}) {
  const result = await child(code, options);
  assert.deepEqual(
    { signal: result.signal, status: result.status },
    { signal, status },
    result.stderr || result.stdout,
  );
  if (stdout !== undefined) assert.equal(result.stdout, stdout);
  if (stderr !== undefined) assert.match(result.stderr, stderr);
}
const GC = { flags: ["--expose-gc"] };

function newPipe() {
  const p = new Int32Array(2);
  assert.equal(n.syscall(NR.pipe2, p, 0), 0);
  return {
    r: p[0],
    w: p[1],
    close: () => {
      for (const fd of p) closeSync(fd);
    },
  };
}
const detach = (buffer) => structuredClone(buffer, { transfer: [buffer] });

describe("the binary", () => {
  const tool = spawnSync("readelf", ["--version"]);
  const skip = tool.status === 0 ? false : "readelf is not installed";
  const readelf = (...args) => spawnSync("readelf", [...args, path], { encoding: "utf8" }).stdout;

  it("needs no library", { skip }, () => assert.doesNotMatch(readelf("-dW"), /NEEDED/));
  it("needs no version of glibc", { skip }, () =>
    assert.doesNotMatch(readelf("-VW") + readelf("--dyn-syms", "-W"), /GLIBC/),
  );
  it("has no writable and executable segment", { skip }, () => assert.doesNotMatch(readelf("-lW"), /RWE/));
  it("asks Node for Node-API and libuv functions only", { skip }, () => {
    const lines = readelf("--dyn-syms", "-W")
      .split("\n")
      .map((line) => line.trim().split(/\s+/));
    const wanted = lines.filter((words) => words[6] === "UND" && words[7]).map((words) => words[7]);
    assert.ok(wanted.length > 20);
    assert.deepEqual(
      wanted.filter((name) => !/^(napi|node_api|uv)_/.test(name)),
      [],
    );
    const offered = lines.filter((words) => /^\d+$/.test(words[6]) && words[4] === "GLOBAL").map((words) => words[7]);
    assert.deepEqual(offered.sort(), ["napi_register_module_v1", "node_api_module_get_api_version_v1"]);
  });
  it("has a version", () => assert.equal(typeof n.version, "string"));
  it("offers what is documented and no more", () =>
    assert.deepEqual(Object.keys(n).sort(), [
      "addressOf",
      "arena",
      "arenaSyscall",
      "background",
      "join",
      "mmap",
      "munmap",
      "poll",
      "spawn",
      "syscall",
      "version",
    ]));
  it("cannot be tampered with", () => {
    assert.throws(() => (n.syscall = null), TypeError);
  });
});

describe("syscall", () => {
  it("returns results and negative error numbers", () => {
    assert.equal(n.syscall(NR.getpid), process.pid);
    assert.equal(n.syscall(NR.getppid, 1, 2, 3, 4, 5, 6), process.ppid);
    assert.equal(n.syscall(NR.close, -1), ERR.EBADF);
    assert.equal(n.syscall(100_000), -38);
  });

  it("passes 64 bits of numbers and bigints, and returns 53", () => {
    const fd = n.syscall(NR.memfd_create, Buffer.from("skep\0"), 0);
    for (const at of [0, 1, 2 ** 31, 2 ** 32 + 1, 2 ** 40 + 3, Number.MAX_SAFE_INTEGER]) {
      assert.equal(n.syscall(NR.lseek, fd, at, 0), at);
      assert.equal(n.syscall(NR.lseek, fd, BigInt(at), 0), at);
    }
    assert.equal(n.syscall(NR.lseek, fd, 10, 0), 10);
    assert.equal(n.syscall(NR.lseek, fd, -3, 1), 7);
    assert.equal(n.syscall(NR.lseek, fd, -3n, 1), 4);
    assert.equal(n.syscall(NR.lseek, fd, 2n ** 64n - 3n, 1), 1);
    assert.equal(n.syscall(NR.lseek, fd, -(2n ** 63n), 0), ERR.EINVAL);
    assert.equal(n.syscall(NR.lseek, fd, -0, 0), 0);
    assert.equal(n.syscall(NR.lseek, fd, null, undefined), 0);
    closeSync(fd);
  });

  it("passes the addresses of buffers and views", () => {
    const { r, w, close } = newPipe();
    const bytes = new Uint8Array([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
    const shared = new Uint8Array(new SharedArrayBuffer(16), 8, 8);
    shared.set(bytes.subarray(0, 8));
    const views = [
      [bytes, 0],
      [bytes.subarray(5), 5],
      [bytes.buffer, 0],
      [new DataView(bytes.buffer, 3), 3],
      [new BigUint64Array(bytes.buffer, 8), 8],
      [new Float64Array(bytes.buffer, 8), 8],
      [Buffer.from(bytes), 0],
      [Uint8Array.of(6, 7), 6],
      [shared, 0],
      [new Uint8ClampedArray(bytes.buffer, 1), 1],
    ];
    if (typeof Float16Array === "function") views.push([new Float16Array(bytes.buffer, 4), 4]);
    for (const [view, first] of views) {
      assert.equal(n.syscall(NR.write, w, view, 2), 2);
      const got = new Uint8Array(2);
      assert.equal(n.syscall(NR.read, r, got, 2), 2);
      assert.deepEqual([...got], [first, first + 1]);
    }
    assert.equal(n.syscall(NR.write, w, new Uint8Array(0), 0), 0);
    close();
  });

  it("rejects other arguments and names them", () => {
    const wrong = [
      Number.NaN,
      1.5,
      Infinity,
      -Infinity,
      2 ** 53,
      -(2 ** 53),
      1e300,
      "1",
      "",
      true,
      {},
      [],
      () => {},
      Symbol("x"),
      new Number(1),
      new Date(),
      /x/,
      new Proxy({}, {}),
      new SharedArrayBuffer(8),
      2n ** 64n,
      -(2n ** 63n) - 1n,
      2n ** 200n,
    ];
    for (const value of wrong) {
      for (let index = 1; index <= 6; index++) {
        const args = [NR.getpid, 0, 0, 0, 0, 0, 0];
        args[index] = value;
        assert.throws(
          () => n.syscall(...args),
          (error) => error instanceof TypeError && error.message.startsWith(`syscall: argument ${index} `),
        );
      }
      if (value === 2 ** 53 || typeof value !== "bigint")
        assert.throws(() => n.syscall(value), /^TypeError: syscall: the number/);
    }
    for (const nr of [-1, 1n, null, undefined]) assert.throws(() => n.syscall(nr), /^TypeError: syscall: the number/);
    assert.throws(() => n.syscall(), TypeError);
    assert.throws(() => n.syscall(NR.getpid, 1, 2, 3, 4, 5, 6, 7), /^TypeError: syscall: at most 6/);
    assert.throws(() => n.syscall(NR.getpid, ...new Array(1000).fill(0)), TypeError);
    assert.equal(n.syscall(NR.getpid), process.pid);
  });

  it("does not run code of proxies or objects", () => {
    const trap = {
      get valueOf() {
        throw new Error("ran");
      },
      get [Symbol.toPrimitive]() {
        throw new Error("ran");
      },
    };
    assert.throws(() => n.syscall(NR.getpid, trap), /^TypeError: syscall: argument 1 /);
    const proxy = new Proxy(new Uint8Array(8), {
      get() {
        throw new Error("ran");
      },
    });
    assert.throws(() => n.syscall(NR.getpid, proxy), /^TypeError: syscall: argument 1 /);
  });

  it("rejects detached buffers", () => {
    const buffer = new ArrayBuffer(16);
    const views = [
      buffer,
      new Uint8Array(buffer),
      new Uint8Array(buffer, 8),
      new DataView(buffer),
      new DataView(buffer, 4),
      new BigInt64Array(buffer),
    ];
    detach(buffer);
    for (const view of views) {
      assert.throws(() => n.syscall(NR.getpid, 0, view), /^TypeError: syscall: argument 2 is a detached buffer$/);
      assert.throws(() => n.addressOf(view), /^TypeError: addressOf: the buffer is detached$/);
    }
  });

  it("reads views of resizable buffers inside their memory", () => {
    const buffer = new ArrayBuffer(64, { maxByteLength: 128 });
    const start = n.addressOf(buffer);
    const view = new Uint8Array(buffer, 32);
    assert.equal(n.addressOf(view), start + 32);
    buffer.resize(16);
    const address = n.addressOf(view);
    assert.ok(address >= start && address <= start + 128);
  });
});

describe("addressOf", () => {
  it("is the first byte of the view", () => {
    const buffer = new ArrayBuffer(64);
    const start = n.addressOf(buffer);
    assert.ok(Number.isSafeInteger(start) && start > 0);
    assert.equal(n.addressOf(new Uint8Array(buffer, 3)), start + 3);
    assert.equal(n.addressOf(new DataView(buffer, 5, 1)), start + 5);
    assert.equal(n.addressOf(new Float64Array(buffer, 8)), start + 8);
  });
  it("rejects anything else", () => {
    for (const value of [undefined, null, 0, 1n, "x", {}, [], () => {}, new SharedArrayBuffer(8), Symbol("x")])
      assert.throws(() => n.addressOf(value), TypeError);
    assert.throws(() => n.addressOf(), TypeError);
  });
  it("stays the same through garbage collections", () =>
    expectChild(
      `
      const views = Array.from({ length: 200 }, (_, i) => new Uint8Array(1 + (i % 64)).fill(i));
      const before = views.map((v) => n.addressOf(v));
      let junk = [];
      for (let i = 0; i < 20; i++) { for (let j = 0; j < 5000; j++) junk.push(new Uint8Array(32)); junk = junk.slice(-100); gc(); }
      const [r, w] = pipe();
      views.forEach((v, i) => {
        assert.equal(n.addressOf(v), before[i]);
        n.syscall(NR.write, w, before[i], v.length);
        const got = new Uint8Array(64);
        assert.equal(n.syscall(NR.read, r, got, 64), v.length);
        assert.deepEqual(got.subarray(0, v.length), v);
      });`,
      GC,
    ));
});

describe("arena", () => {
  it("is one pinned object", () => {
    const arena = n.arena();
    assert.equal(n.arena(), arena);
    assert.ok(Object.isFrozen(arena));
    assert.equal(arena.buffer.byteLength, 1 << 20);
    assert.equal(arena.address, n.addressOf(arena.buffer));
    assert.ok(new Uint8Array(arena.buffer, 64).every((byte) => byte === 0));
  });

  it("carries the call of arenaSyscall", () => {
    const { buffer, address } = n.arena();
    const words = new BigInt64Array(buffer);
    words.fill(0n, 0, 8);
    words[0] = BigInt(NR.getpid);
    assert.equal(n.arenaSyscall(), process.pid);
    const { r, w, close } = newPipe();
    new Uint8Array(buffer, 64).set(Buffer.from("skep"));
    words.set([BigInt(NR.write), BigInt(w), BigInt(address + 64), 4n]);
    assert.equal(n.arenaSyscall(), 4);
    words.set([BigInt(NR.read), BigInt(r), BigInt(address + 128), 100n]);
    assert.equal(n.arenaSyscall(), 4);
    assert.equal(Buffer.from(buffer, 128, 4).toString(), "skep");
    words.set([BigInt(NR.close), -1n]);
    assert.equal(n.arenaSyscall(), ERR.EBADF);
    close();
  });

  it("passes all six arguments", () => {
    const words = new BigInt64Array(n.arena().buffer);
    // mmap(0, 4096, PROT_READ, MAP_PRIVATE, fd, 4096): each of them has to arrive.
    const fd = n.syscall(NR.memfd_create, Buffer.from("skep\0"), 0);
    n.syscall(NR.ftruncate, fd, 8192);
    n.syscall(NR.lseek, fd, 4096, 0);
    n.syscall(NR.write, fd, Buffer.from("page two"), 8);
    const [mmap, munmap] = process.arch === "x64" ? [9n, 11n] : [222n, 215n];
    words.set([mmap, 0n, 4096n, 1n, 2n, BigInt(fd), 4096n]);
    const at = n.arenaSyscall();
    assert.ok(at > 4096);
    const { r, w, close } = newPipe();
    n.syscall(NR.write, w, at, 8);
    const got = Buffer.alloc(8);
    n.syscall(NR.read, r, got, 8);
    assert.equal(got.toString(), "page two");
    words.set([munmap, BigInt(at), 4096n]);
    assert.equal(n.arenaSyscall(), 0);
    closeSync(fd);
    close();
  });

  it("survives garbage collection, unreferenced", () =>
    expectChild(
      `
      { const { buffer } = n.arena(); new BigUint64Array(buffer)[0] = BigInt(NR.getpid); new Uint8Array(buffer)[1000] = 7; }
      await settle();
      assert.equal(n.arenaSyscall(), process.pid);
      assert.equal(new Uint8Array(n.arena().buffer)[1000], 7);`,
      GC,
    ));

  it("can be called before arena()", () => expectChild(`assert.ok(Number.isInteger(n.arenaSyscall()));`));

  it("outlives the detaching of its buffer", () =>
    expectChild(
      `
      new BigUint64Array(n.arena().buffer)[0] = BigInt(NR.getpid);
      { const { buffer } = n.arena();
        try { structuredClone(buffer, { transfer: [buffer] }); } catch {}
        try { buffer.transfer?.(); } catch {} }
      await settle();
      assert.equal(n.arenaSyscall(), process.pid);`,
      GC,
    ));

  it("is another one in each thread", () =>
    expectChild(`
      const mine = n.arena();
      const w = worker(\`
        const { buffer, address } = n.arena();
        new BigUint64Array(buffer)[0] = BigInt(NR.getppid);
        parentPort.postMessage({ address, result: n.arenaSyscall() });
        parentPort.once("message", () => {});\`);
      new BigUint64Array(mine.buffer)[0] = BigInt(NR.getpid);
      const theirs = await new Promise((r) => w.once("message", r));
      assert.notEqual(theirs.address, mine.address);
      assert.equal(theirs.result, process.ppid);
      assert.equal(n.arenaSyscall(), process.pid);
      w.postMessage(0);
      await new Promise((r) => w.once("exit", r));
      assert.equal(n.arenaSyscall(), process.pid);`));
});

describe("mmap and munmap", () => {
  it("map anonymous memory", () => {
    const buffer = n.mmap(8192, RW, ANON, -1, 0);
    assert.ok(buffer instanceof ArrayBuffer);
    assert.equal(buffer.byteLength, 8192);
    const bytes = new Uint8Array(buffer);
    bytes[8191] = 5;
    assert.equal(bytes[8191], 5);
    assert.equal(n.munmap(buffer), 0);
  });

  it("map files, at offsets", () => {
    const fd = n.syscall(NR.memfd_create, Buffer.from("skep\0"), 0);
    n.syscall(NR.ftruncate, fd, 8192);
    const a = n.mmap(8192, RW, SHARED, fd, 0);
    const b = n.mmap(4096, 1, SHARED, fd, 4096);
    new Uint8Array(a)[4096] = 42;
    assert.equal(new Uint8Array(b)[0], 42);
    assert.equal(n.munmap(a), 0);
    assert.equal(new Uint8Array(b)[0], 42);
    assert.equal(n.munmap(b), 0);
    closeSync(fd);
  });

  it("are where they are wished to be, unless something is there", () => {
    const wish = 0x100000000000;
    const first = n.mmap(8192, RW, ANON, -1, 0, wish);
    assert.equal(n.addressOf(first), wish);
    new Uint8Array(first)[8191] = 7;
    const second = n.mmap(8192, RW, ANON, -1, 0, wish);
    assert.notEqual(n.addressOf(second), wish);
    assert.equal(new Uint8Array(first)[8191], 7);
    n.munmap(first);
    n.munmap(second);
  });

  it("return the kernel's errors", () => {
    assert.equal(n.mmap(0, RW, ANON, -1, 0), ERR.EINVAL);
    assert.equal(n.mmap(4096, RW, SHARED, -1, 0), ERR.EBADF);
    assert.equal(n.mmap(4096, RW, ANON, -1, 1), ERR.EINVAL);
    assert.equal(n.mmap(4096, RW, SHARED, 0x7fffffff, 0), ERR.EBADF);
    for (let i = 0; i < 2000; i++) assert.equal(n.mmap(4096, RW, SHARED, -1, 0), ERR.EBADF);
  });

  it("reject wrong arguments", () => {
    for (const bad of [undefined, null, "4096", Number.NaN, 0.5, 1n, {}, 2 ** 53]) {
      for (let index = 0; index < 5; index++) {
        const args = [4096, RW, ANON, -1, 0];
        args[index] = bad;
        assert.throws(() => n.mmap(...args), /^TypeError: mmap: /);
      }
    }
    assert.throws(() => n.mmap(), TypeError);
    assert.throws(() => n.mmap(-1, RW, ANON, -1, 0), TypeError);
    assert.throws(() => n.mmap(2 ** 32 + 1, RW, ANON, -1, 0), TypeError);
    assert.throws(() => n.mmap(4096, RW, ANON, -1, 0, "1"), /address must be an integer/);
    assert.throws(() => n.mmap(4096, RW, ANON | 0x10, -1, 0), /MAP_FIXED/);
    assert.throws(() => n.mmap(4096, RW, ANON | 0x100000, -1, 0), /MAP_FIXED/);
  });

  it("map the largest size allowed", () => {
    const buffer = n.mmap(2 ** 32, RW, ANON | 0x4000, -1, 0);
    if (typeof buffer === "number") return assert.equal(buffer, -12);
    assert.equal(buffer.byteLength, 2 ** 32);
    new Uint8Array(buffer)[2 ** 32 - 1] = 1;
    assert.equal(n.munmap(buffer), 0);
  });

  it("leave views empty after munmap", () => {
    const buffer = n.mmap(4096, RW, ANON, -1, 0);
    const bytes = new Uint8Array(buffer);
    const words = new Int32Array(buffer);
    const data = new DataView(buffer);
    const node = Buffer.from(buffer);
    assert.equal(n.munmap(buffer), 0);
    assert.equal(buffer.byteLength, 0);
    assert.equal(bytes[0], undefined);
    bytes[0] = 1;
    assert.equal(node.length, 0);
    assert.throws(() => data.getUint8(0), TypeError);
    assert.throws(() => Atomics.load(words, 0), TypeError);
    assert.throws(() => n.addressOf(bytes), /detached/);
    assert.throws(() => n.syscall(NR.getpid, buffer), /detached/);
    assert.throws(() => n.munmap(buffer), /^TypeError: munmap: already unmapped$/);
    assert.throws(() => n.munmap(buffer), /already unmapped/);
  });

  it("refuse what mmap did not make", () => {
    const plain = new ArrayBuffer(4096);
    const mapped = n.mmap(4096, RW, ANON, -1, 0);
    const copy = structuredClone(mapped);
    const others = [
      plain,
      copy,
      mapped.slice(),
      n.arena().buffer,
      new Uint8Array(mapped),
      new DataView(mapped),
      Buffer.alloc(8),
      new SharedArrayBuffer(8),
      {},
      Object.create(mapped),
      new Proxy(mapped, {}),
      n.addressOf(mapped),
      undefined,
      null,
      "x",
      () => {},
    ];
    for (const other of others)
      assert.throws(() => n.munmap(other), /^TypeError: munmap: this is no ArrayBuffer made by mmap$/);
    assert.throws(() => n.munmap(), TypeError);
    detach(plain);
    assert.throws(() => n.munmap(plain), /this is no ArrayBuffer made by mmap/);
    new Uint8Array(mapped)[0] = 1;
    assert.equal(n.munmap(mapped), 0);
  });

  it("survive transfers of the buffer", () =>
    expectChild(
      `
      const cases = [
        (b) => structuredClone(b, { transfer: [b] }),
        (b) => b.transfer(),
        (b) => b.transfer(4096),
        (b) => b.transferToFixedLength(),
        (b) => b.transfer(8192),
      ];
      for (const transfer of cases) {
        const fd = memfd("skep-transfer", 4096);
        let buffer = n.mmap(4096, 3, 1, fd, 0);
        n.syscall(NR.close, fd);
        new Uint8Array(buffer)[10] = 77;
        let moved;
        try { moved = transfer(buffer); } catch { moved = undefined; }
        if (moved !== undefined) {
          assert.throws(() => n.munmap(moved), /^TypeError: munmap: this is no/);
          if (buffer.byteLength === 0) assert.throws(() => n.munmap(buffer), /^TypeError: munmap: already unmapped$/);
          assert.equal(new Uint8Array(moved)[10], 77);
          new Uint8Array(moved)[10] = 78;
          assert.equal(new Uint8Array(moved)[10], 78);
        }
        if (buffer.byteLength > 0) { assert.equal(new Uint8Array(buffer)[10], 77); assert.equal(n.munmap(buffer), 0); }
        buffer = moved = undefined;
        await settle();
        assert.equal(mapped("skep-transfer"), 0);
      }`,
      GC,
    ));

  it("refuse buffers of another thread", () =>
    expectChild(`
      const buffer = n.mmap(4096, 3, 0x22, -1, 0);
      const w = worker(\`parentPort.once("message", (b) => {
        try { n.munmap(b); parentPort.postMessage("unmapped"); } catch (e) { parentPort.postMessage(e.name + " " + e.message); } })\`);
      w.postMessage(buffer);
      assert.match(await new Promise((r) => w.once("message", r)), /^TypeError munmap: this is no/);
      new Uint8Array(buffer)[0] = 1;
      assert.equal(n.munmap(buffer), 0);`));

  it("refuse buffers of another instance of the library", async () => {
    const dir = mkdtempSync(join(tmpdir(), "skep-"));
    const copy = join(dir, "copy.node");
    copyFileSync(path, copy);
    try {
      await expectChild(`
        for (const other of [load(file), load(${JSON.stringify(copy)})]) {
          const buffer = n.mmap(4096, 3, 0x22, -1, 0);
          assert.throws(() => other.munmap(buffer), /^TypeError: munmap: this is no/);
          assert.notEqual(other.arena().address, n.arena().address);
          const [r] = pipe();
          const h = other.poll(r, () => {});
          assert.throws(() => n.poll(r, () => {}).start.call(h), TypeError);
          h.close();
          new Uint8Array(buffer)[0] = 1;
          assert.equal(n.munmap(buffer), 0);
        }`);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it("unmap what is garbage-collected", () =>
    expectChild(
      `
      const fd = memfd("skep-gc", 4096);
      let buffers = Array.from({ length: 300 }, () => n.mmap(4096, 3, 1, fd, 0));
      assert.equal(mapped("skep-gc"), 300);
      for (let i = 0; i < 100; i++) n.munmap(buffers[i * 3]);
      assert.equal(mapped("skep-gc"), 200);
      await settle();
      assert.equal(mapped("skep-gc"), 200);
      let view = new Uint8Array(buffers[1]);
      buffers = undefined;
      await settle();
      assert.equal(mapped("skep-gc"), 1, "a view keeps its mapping");
      view[0] = 1;
      view = undefined;
      await settle();
      assert.equal(mapped("skep-gc"), 0);`,
      GC,
    ));

  it("unmap at the end of a thread", () =>
    expectChild(`
      const fd = memfd("skep-worker", 4096);
      for (const end of ["", "process.exit(3)", "throw 1"]) {
        const w = worker(\`globalThis.keep = [n.mmap(4096, 3, 1, \${fd}, 0), n.mmap(4096, 3, 1, \${fd}, 0)]; n.munmap(keep[1]); \${end}\`);
        w.on("error", () => {});
        await new Promise((r) => w.once("exit", r));
        assert.equal(mapped("skep-worker"), 0);
      }`));

  it("do not leak over many cycles", () =>
    expectChild(
      `
      const cycle = () => { for (let i = 0; i < 20000; i++) { const b = n.mmap(65536, 3, 0x22, -1, 0); if (i % 2) new Uint8Array(b)[9] = 1; n.munmap(b); } };
      cycle(); await settle();
      const before = vm();
      for (let i = 0; i < 5; i++) { cycle(); await settle(); }
      assert.ok(vm() - before < 60000, "grew by " + (vm() - before) + " kB");`,
      GC,
    ));

  it("leave writes to read-only memory to the kernel: the process dies", () =>
    expectChild(`new Uint8Array(n.mmap(4096, 1, 0x22, -1, 0))[0] = 1;`, { status: null, signal: "SIGSEGV" }));
});

describe("poll", () => {
  it("calls back when a pipe becomes readable", () =>
    expectChild(
      `
      const [r, w] = pipe();
      const h = n.poll(r, (status, events) => { console.log(status, events, get(r)); h.close(); });
      assert.equal(h.start(), 0);
      setTimeout(() => put(w, "hello"), 10);`,
      { stdout: "0 1 hello" },
    ));

  it("is level-triggered, and stop() and start() work", () =>
    expectChild(`
      const [r, w] = pipe();
      let calls = 0;
      const h = n.poll(r, () => calls++);
      h.unref();
      put(w);
      await sleep(20);
      assert.equal(calls, 0, "not started");
      h.start(); h.start();
      while (calls < 3) await tick();
      h.stop(); h.stop();
      const seen = calls;
      await sleep(20);
      assert.equal(calls, seen, "stopped");
      h.start();
      while (calls < seen + 1) await tick();
      get(r);
      const drained = calls + 1;
      await sleep(20);
      assert.ok(calls <= drained, "drained");
      h.close();`));

  it("watches an eventfd", () =>
    expectChild(
      `
      const fd = n.syscall(NR.eventfd2, 0, 0x800);
      const add = new BigUint64Array([3n]);
      let total = 0n;
      const h = n.poll(fd, () => {
        const got = new BigUint64Array(1);
        assert.equal(n.syscall(NR.read, fd, got, 8), 8);
        total += got[0];
        if (total === 9n) { console.log("nine"); h.close(); } else n.syscall(NR.write, fd, add, 8);
      });
      h.start();
      n.syscall(NR.write, fd, add, 8);`,
      { stdout: "nine" },
    ));

  it("reports the writable side and errors", () =>
    expectChild(
      `
      const [r, w] = pipe();
      const h = n.poll(w, (status, events) => { console.log(status, events); if (status === 0) { n.syscall(NR.close, r); h.start(2); } });
      h.start(2);`,
      { stdout: "0 2\n-9 0" },
    ));

  it("watches a BPF ring buffer", (t) => bpfRing(t));

  it("rejects wrong arguments, returns the kernel's errors", () => {
    const { r, close } = newPipe();
    for (const fd of [undefined, null, "1", 1.5, Number.NaN, 2 ** 31, {}, 1n])
      assert.throws(() => n.poll(fd, () => {}), /^TypeError: poll: fd/);
    for (const callback of [undefined, null, 1, {}, "x"])
      assert.throws(() => n.poll(r, callback), /^TypeError: poll: the callback/);
    assert.throws(() => n.poll(), TypeError);
    assert.equal(
      n.poll(-1, () => {}),
      ERR.EBADF,
    );
    assert.equal(
      n.poll(999_999, () => {}),
      ERR.EBADF,
    );
    const regular = n.syscall(NR.memfd_create, Buffer.from("skep\0"), 0);
    assert.equal(
      n.poll(regular, () => {}),
      ERR.EPERM,
    );
    closeSync(regular);
    const h = n.poll(r, () => {});
    for (const events of [0, -1, 16, 1.5, "1", {}, null])
      assert.throws(() => h.start(events), /^TypeError: start: events/);
    h.close();
    close();
  });

  it("does not leak descriptors on errors", () => {
    const open = () => readdirSync("/proc/self/fd").length;
    const regular = n.syscall(NR.memfd_create, Buffer.from("skep\0"), 0);
    const before = open();
    for (let i = 0; i < 100; i++) n.poll(regular, () => {});
    assert.equal(open(), before);
    closeSync(regular);
  });

  it("protects its methods", () => {
    const { r, close } = newPipe();
    const h = n.poll(r, () => {});
    for (const method of ["start", "stop", "close", "ref", "unref"]) {
      for (const self of [
        undefined,
        null,
        {},
        1,
        Object.create(h),
        new Proxy(h, {}),
        Object.getPrototypeOf(h),
        n.mmap(4096, RW, ANON, -1, 0),
      ])
        assert.throws(() => h[method].call(self), /^TypeError: (Illegal invocation|this is no poll handle)$/);
    }
    assert.throws(() => new h.constructor(), /^TypeError: poll handles are made by poll/);
    assert.throws(() => h.constructor(), TypeError);
    assert.throws(() => (h.callback = 1), TypeError);
    h.close();
    close();
  });

  it("refuses start() after close(), ignores the rest", () => {
    const { r, close } = newPipe();
    const h = n.poll(r, () => {});
    h.start();
    h.close();
    h.close();
    assert.throws(() => h.start(), /^TypeError: start: the poll handle is closed$/);
    h.stop();
    h.ref();
    h.unref();
    h.close();
    close();
  });

  it("frees the descriptor at close()", () => {
    const { r, close } = newPipe();
    const open = () => readdirSync("/proc/self/fd").length;
    const before = open();
    const h = n.poll(r, () => {});
    h.start();
    assert.equal(open(), before + 1);
    h.close();
    assert.equal(open(), before);
    close();
  });

  it("does not call back after close(), even with events waiting", () =>
    expectChild(`
      const pipes = Array.from({ length: 20 }, pipe);
      let calls = 0;
      const handles = pipes.map(([r]) => n.poll(r, () => { calls++; handles.forEach((h) => h.close()); }));
      handles.forEach((h) => h.start());
      pipes.forEach(([, w]) => put(w));
      await sleep(30);
      assert.equal(calls, 1);`));

  it("may be closed in its callback, and a new one made there", () =>
    expectChild(
      `
      const [r, w] = pipe();
      let left = 500;
      const next = () => { const h = n.poll(r, () => { h.close(); h.close(); if (--left > 0) next(); else console.log("done"); }); h.start(); };
      put(w);
      next();`,
      { ...GC, stdout: "done" },
    ));

  it("lets many handles watch one descriptor", () =>
    expectChild(`
      const [r, w] = pipe();
      let calls = 0;
      const handles = [1, 2, 3].map(() => n.poll(r, function once() { calls++; }));
      handles.forEach((h, i) => { h.start(); });
      put(w);
      while (calls < 9) await tick();
      handles.forEach((h) => h.close());`));

  it("keeps working when the descriptor is closed under it", () =>
    expectChild(`
      const [r, w] = pipe();
      let calls = 0;
      const h = n.poll(r, () => { calls++; h.stop(); });
      h.start();
      n.syscall(NR.close, r);
      await tick(); await tick();
      put(w);
      await sleep(20);
      assert.equal(calls, 1);
      const again = pipe();
      assert.equal(again[0], r, "the number is in use again");
      const other = n.poll(again[0], () => { calls += 10; other.close(); });
      other.start();
      h.start();
      put(again[1]);
      while (calls < 12) await tick();
      h.close();
      const net = require("node:net").createServer().listen(0, () => net.close());`));

  it("sees the other end hang up", () =>
    expectChild(
      `
      const [r, w] = pipe();
      const h = n.poll(r, (status, events) => { console.log(status, events & 1, JSON.stringify(get(r))); h.close(); });
      h.start();
      n.syscall(NR.close, w);`,
      { stdout: '0 1 ""' },
    ));

  describe("and the life of the process", () => {
    // An unref'd timer ends the process with 42 when something else keeps it alive until then.
    const alive = (code) =>
      `setTimeout(() => process.exit(42), 250).unref(); const [r, w] = pipe(); globalThis.w = w; ${code}`;
    it("started: keeps it alive", () => expectChild(alive(`n.poll(r, () => {}).start();`), { status: 42 }));
    it("not started: does not", () => expectChild(alive(`n.poll(r, () => {});`)));
    it("stopped: does not", () => expectChild(alive(`const h = n.poll(r, () => {}); h.start(); h.stop();`)));
    it("closed: does not", () => expectChild(alive(`const h = n.poll(r, () => {}); h.start(); h.close();`)));
    it("unref'd: does not", () =>
      expectChild(alive(`const h = n.poll(r, () => {}); h.start(); h.unref(); h.unref();`)));
    it("unref'd before start: does not", () =>
      expectChild(alive(`const h = n.poll(r, () => {}); h.unref(); h.start();`)));
    it("ref'd again: keeps it alive", () =>
      expectChild(alive(`const h = n.poll(r, () => {}); h.unref(); h.start(); h.ref();`), { status: 42 }));
    it("ends naturally with events waiting", () =>
      expectChild(alive(`put(w); const h = n.poll(r, () => h.unref()); h.start();`)));
    it("process.exit() with waits under way", () =>
      expectChild(alive(`for (let i = 0; i < 100; i++) n.poll(r, () => {}).start(); put(w); process.exit(5);`), {
        status: 5,
      }));
    it("process.exit() in the callback", () =>
      expectChild(alive(`put(w); n.poll(r, () => process.exit(6)).start();`), { status: 6 }));
    it("process.exit() in the callback, with an exit listener that closes", () =>
      expectChild(
        alive(`put(w); const h = n.poll(r, () => process.exit(6)); process.on("exit", () => h.close()); h.start();`),
        { status: 6 },
      ));
    it("process.abort() in the callback", () =>
      expectChild(alive(`put(w); n.poll(r, () => process.abort()).start();`), { status: null, signal: "SIGABRT" }));
    it("SIGTERM with waits under way", () =>
      expectChild(alive(`n.poll(r, () => {}).start(); process.kill(process.pid, "SIGTERM");`), {
        status: null,
        signal: "SIGTERM",
      }));
    it("an unused mapping, arena and handle at the end", () =>
      expectChild(alive(`globalThis.keep = [n.arena(), n.mmap(4096, 3, 0x22, -1, 0), n.poll(r, () => {})];`)));
  });

  describe("and exceptions", () => {
    it("in the callback are uncaught exceptions", () =>
      expectChild(
        `const [r, w] = pipe(); put(w); n.poll(r, () => { throw new Error("from the callback"); }).start();`,
        {
          status: 1,
          stderr: /Error: from the callback/,
        },
      ));
    it("reach uncaughtException, and the next event comes", () =>
      expectChild(
        `
        const [r, w] = pipe();
        let calls = 0;
        process.on("uncaughtException", (error, origin) => console.log(error.message, origin));
        const h = n.poll(r, () => { if (++calls === 3) h.close(); throw new Error("number " + calls); });
        h.start();
        put(w);`,
        { stdout: "number 1 uncaughtException\nnumber 2 uncaughtException\nnumber 3 uncaughtException" },
      ));
    it("that are no errors", () =>
      expectChild(
        `
        const [r, w] = pipe();
        const values = [undefined, null, 0, Symbol("s"), { a: 1 }];
        process.on("uncaughtException", (value) => console.log(String(value)));
        const h = n.poll(r, () => { const value = values.shift(); if (values.length === 0) h.close(); throw value; });
        h.start();
        put(w);`,
        { stdout: "undefined\nnull\n0\nSymbol(s)\n[object Object]" },
      ));
    it("by the uncaughtException listener end the process with 7", () =>
      expectChild(
        `const [r, w] = pipe(); put(w); process.on("uncaughtException", () => { throw new Error("again"); }); n.poll(r, () => { throw 1; }).start();`,
        { status: 7, stderr: /Error: again/ },
      ));
    it("rejections in the callback are unhandled rejections", () =>
      expectChild(`const [r, w] = pipe(); put(w); n.poll(r, async () => { throw new Error("rejected"); }).start();`, {
        status: 1,
        stderr: /Error: rejected/,
      }));
    it("deep recursion in the callback", () =>
      expectChild(
        `
        const [r, w] = pipe(); put(w);
        process.on("uncaughtException", (error) => { console.log(error.name); h.close(); });
        const h = n.poll(r, () => { const f = () => f() + 1; f(); });
        h.start();`,
        { stdout: "RangeError" },
      ));
    it("microtasks and nextTick run before the next callback", () =>
      expectChild(
        `
        const pipes = [pipe(), pipe(), pipe()];
        const seen = [];
        const handles = pipes.map(([r], i) => n.poll(r, () => {
          handles[i].close();
          seen.push("c");
          process.nextTick(() => seen.push("t"));
          Promise.resolve().then(() => seen.push("m"));
        }));
        handles.forEach((h) => h.start());
        pipes.forEach(([, w]) => put(w));
        process.on("exit", () => console.log(seen.join("")));`,
        { stdout: "ctmctmctm" },
      ));
  });

  describe("and the garbage collector", () => {
    it("a started handle nobody refers to goes on", () =>
      expectChild(
        `
        const [r, w] = pipe();
        (() => { n.poll(r, () => { console.log("still here"); process.exit(0); }).start(); })();
        await settle();
        put(w);
        await sleep(5000);`,
        { ...GC, stdout: "still here" },
      ));
    for (const [name, make] of [
      ["never started", ""],
      ["stopped", "h.start(); h.stop();"],
      ["stopped while unref'd", "h.unref(); h.start(); h.stop();"],
      ["closed", "h.start(); h.close();"],
      ["stopped by an error", "h.start(); put(w); get(r); h.stop(); h.start(); h.stop();"],
    ]) {
      it(`a handle nobody refers to is freed: ${name}`, () =>
        expectChild(
          `
          const [r, w] = pipe();
          const before = fds();
          let gone = 0;
          const registry = new FinalizationRegistry(() => gone++);
          (() => { for (let i = 0; i < 50; i++) { const h = n.poll(r, () => h.close()); registry.register(h, 0); ${make} } })();
          await settle();
          assert.equal(fds(), before);
          assert.equal(gone, 50);`,
          GC,
        ));
    }
    it("thousands of handles opened and closed do not leak", () =>
      expectChild(
        `
        const [r, w] = pipe();
        put(w);
        const round = async () => {
          for (let i = 0; i < 100; i++) {
            const handles = Array.from({ length: 50 }, (_, j) => { const h = n.poll(r, () => {}); if (j % 2) h.start(); if (j % 3) h.unref(); return h; });
            if (i % 2) await tick();
            handles.forEach((h) => h.close());
            if (i % 2) await tick();
          }
          await settle();
        };
        await round();
        const [open, size] = [fds(), vm()];
        await round(); await round();
        assert.equal(fds(), open);
        assert.ok(vm() - size < 30000, "grew by " + (vm() - size) + " kB");`,
        GC,
      ));
    it("callbacks survive collections between events", () =>
      expectChild(
        `
        const [r, w] = pipe();
        let calls = 0;
        const h = n.poll(r, () => { gc(); if (++calls === 20) h.close(); });
        h.start();
        put(w);`,
        GC,
      ));
    it("a collection while events wait for forgotten handles", () =>
      expectChild(
        `
        const [r, w] = pipe();
        put(w);
        for (let i = 0; i < 200; i++) { const h = n.poll(r, () => {}); h.start(); h.stop(); if (i % 20 === 0) { gc(); await tick(); } }
        await settle();`,
        GC,
      ));
  });

  describe("and workers", () => {
    const inWorker = (code, then) => `
      const w = worker(${JSON.stringify(`const [r, w] = pipe(); globalThis.w = w; ${code}`)});
      const messages = [];
      w.on("message", (m) => messages.push(m));
      const errors = [];
      w.on("error", (e) => errors.push(e?.message ?? String(e)));
      const exit = new Promise((r) => w.once("exit", r));
      const first = new Promise((r) => w.once("message", r));
      ${then}`;
    it("natural end", () =>
      expectChild(
        inWorker(
          `put(w); const h = n.poll(r, () => { parentPort.postMessage(get(r)); h.close(); }); h.start();`,
          `assert.equal(await exit, 0); assert.deepEqual(messages, ["x"]);`,
        ),
      ));
    it("natural end with an unref'd wait, a stopped one and one never started", () =>
      expectChild(
        inWorker(
          `const a = n.poll(r, () => {}); a.start(); a.unref(); const b = n.poll(r, () => {}); b.start(); b.stop(); n.poll(r, () => {});`,
          `assert.equal(await exit, 0);`,
        ),
      ));
    it("terminate() with waits under way", () =>
      expectChild(
        inWorker(
          `for (let i = 0; i < 50; i++) n.poll(r, () => {}).start(); parentPort.postMessage(1);`,
          `await first; assert.equal(await w.terminate(), 1);`,
        ),
      ));
    it("terminate() with events pouring in", () =>
      expectChild(
        inWorker(
          `put(w); for (let i = 0; i < 50; i++) n.poll(r, () => {}).start(); parentPort.postMessage(1);`,
          `await first; await sleep(10); assert.equal(await w.terminate(), 1);`,
        ),
      ));
    it("terminate() inside a callback that never returns", () =>
      expectChild(
        inWorker(
          `put(w); n.poll(r, () => { parentPort.postMessage(1); for (;;); }).start();`,
          `await first; assert.equal(await w.terminate(), 1);`,
        ),
      ));
    it("terminate() at once", () => expectChild(inWorker(`n.poll(r, () => {}).start();`, `await w.terminate();`)));
    it("process.exit() in the callback", () =>
      expectChild(inWorker(`put(w); n.poll(r, () => process.exit(9)).start();`, `assert.equal(await exit, 9);`)));
    it("process.exit() with waits under way", () =>
      expectChild(inWorker(`put(w); n.poll(r, () => {}).start(); process.exit(8);`, `assert.equal(await exit, 8);`)));
    it("an exception in the callback ends the worker only", () =>
      expectChild(
        inWorker(
          `put(w); n.poll(r, () => { throw new Error("in the worker"); }).start();`,
          `assert.equal(await exit, 1); assert.deepEqual(errors, ["in the worker"]);`,
        ),
      ));
    it("the process ends while a worker waits", () =>
      expectChild(
        inWorker(`n.poll(r, () => {}).start(); parentPort.postMessage(1);`, `await first; process.exit(4);`),
        { status: 4 },
      ));
    it("a library loaded by workers only", async () => {
      const source = `
        const { Worker } = require("node:worker_threads");
        const code = ${JSON.stringify(`${WORKER}${PREAMBLE}
          const [r, w] = pipe(); put(w); globalThis.keep = [n.arena(), n.mmap(4096, 3, 0x22, -1, 0)];
          let calls = 0; const h = n.poll(r, () => { if (++calls === 3) { h.close(); n.poll(r, () => process.exit(0)).start(); } }); h.start();`)};
        (async () => { for (let i = 0; i < 10; i++) { const w = new Worker(code, { eval: true }); const status = await new Promise((r) => w.once("exit", r)); if (status !== 0) process.exit(1); } })();`;
      const run = spawnSync(process.execPath, ["-e", source], { env, timeout: 30_000, encoding: "utf8" });
      assert.deepEqual({ status: run.status, signal: run.signal }, { status: 0, signal: null }, run.stderr);
    });
    it("many come and go, nothing is left behind", () =>
      expectChild(
        `
        const fd = memfd("skep-churn", 4096);
        const code = \`
          const [r, w] = pipe(); put(w); n.arena();
          globalThis.maps = Array.from({ length: 20 }, () => n.mmap(4096, 3, 1, \${fd}, 0));
          for (let i = 0; i < 20; i++) { const h = n.poll(r, () => {}); if (i % 3) h.start(); if (i % 4 === 0) h.close(); }
          n.syscall(NR.close, r); n.syscall(NR.close, w);
          parentPort.postMessage(1);\`;
        const round = async (count) => {
          for (let i = 0; i < count; i += 4) await Promise.all([0, 1, 2, 3].map(async (k) => {
            const w = worker(code);
            if (k !== 3) await new Promise((r) => w.once("message", r));
            if (k === 1) await sleep(3);
            await w.terminate();
          }));
        };
        await round(8);
        await sleep(50);
        const open = fds();
        await round(40);
        await sleep(50);
        assert.equal(mapped("skep-churn"), 0);
        // A worker stopped between pipe() and close() leaves its two descriptors: those are not the addon's.
        assert.ok(fds() <= open + 20, open + " -> " + fds());`,
        { timeout: 60_000 },
      ));
  });
});

/** A ring buffer map written by a program run through BPF_PROG_TEST_RUN: the wait is on the map's own descriptor. */
async function bpfRing(t) {
  const run = await child(`
    const attr = (bytes) => { const b = new DataView(new ArrayBuffer(120)); for (const [at, size, value] of bytes) size === 8 ? b.setBigUint64(at, BigInt(value), true) : b.setUint32(at, value, true); return b; };
    const bpf = (command, a) => n.syscall(NR.bpf, command, a, 120);
    const map = bpf(0, attr([[0, 4, 27], [12, 4, 4096]]));
    if (map < 0) { console.log("refused", map); return; }
    const insn = (code, dst, src, off, imm) => { const b = Buffer.alloc(8); b[0] = code; b[1] = dst | (src << 4); b.writeInt16LE(off, 2); b.writeInt32LE(imm, 4); return b; };
    const insns = Buffer.concat([
      insn(0x7a, 10, 0, -8, 7),          // *(u64 *)(fp - 8) = 7
      insn(0x18, 1, 1, 0, map), insn(0, 0, 0, 0, 0), // r1 = map
      insn(0xbf, 2, 10, 0, 0), insn(0x07, 2, 0, 0, -8), // r2 = fp - 8
      insn(0xb7, 3, 0, 0, 8), insn(0xb7, 4, 0, 0, 0), insn(0x85, 0, 0, 0, 130), // ringbuf_output(r1, r2, 8, 0)
      insn(0xb7, 0, 0, 0, 0), insn(0x95, 0, 0, 0, 0),
    ]);
    const license = Buffer.from("GPL\\0");
    const prog = bpf(5, attr([[0, 4, 1], [4, 4, insns.length / 8], [8, 8, n.addressOf(insns)], [16, 8, n.addressOf(license)]]));
    if (prog < 0) { console.log("refused", prog); return; }
    const packet = Buffer.alloc(64);
    const fire = (times) => { for (let i = 0; i < times; i++) assert.equal(bpf(10, attr([[0, 4, prog], [8, 4, 64], [16, 8, n.addressOf(packet)], [32, 4, 1]])), 0); };
    const consumer = new BigUint64Array(n.mmap(4096, 3, 1, map, 0));
    const ring = n.mmap(4096 + 8192, 1, 1, map, 4096);
    const producer = new BigUint64Array(ring, 0, 1);
    const data = new DataView(ring, 4096);
    let got = 0;
    let wakes = 0;
    const h = n.poll(map, (status) => {
      assert.equal(status, 0);
      wakes++;
      for (let at = consumer[0]; at < producer[0]; at += 16n) { assert.equal(data.getUint32(Number(at) % 4096, true), 8); assert.equal(data.getBigUint64(Number(at) % 4096 + 8, true), 7n); got++; }
      Atomics.store(consumer, 0, producer[0]);
      if (got === 600) { console.log("got", got); h.close(); n.munmap(ring); n.munmap(consumer.buffer); } else fire(6);
    });
    assert.equal(h.start(), 0);
    setTimeout(() => fire(6), 10);`);
  assert.deepEqual({ signal: run.signal, status: run.status }, { signal: null, status: 0 }, run.stderr);
  if (run.stdout.startsWith("refused")) return t.skip(`bpf(2) is refused here (${run.stdout.slice(8)})`);
  assert.equal(run.stdout, "got 600");
}

describe("background", () => {
  const WORDS = 10;
  /** What the calls name is kept by the tests themselves. */
  const kept = [];
  /** Calls as `background` takes them; `store` is a buffer that gets the result. */
  const batch = (...calls) => {
    const words = new BigUint64Array(1 + calls.length * WORDS);
    words[0] = BigInt(calls.length);
    for (const [i, { nr, args = [], store }] of calls.entries()) {
      const at = 1 + i * WORDS;
      words[at] = BigInt(nr);
      for (const [k, argument] of args.entries())
        words[at + 1 + k] = BigInt.asUintN(64, BigInt(typeof argument === "object" ? n.addressOf(argument) : argument));
      if (store !== undefined) words[at + 7] = BigInt(n.addressOf(store));
    }
    return words;
  };
  const results = (words) =>
    Array.from({ length: (words.length - 1) / WORDS }, (_, i) => Number(BigInt.asIntN(64, words[1 + i * WORDS + 8])));

  it("makes calls beside and gives their results", () => {
    const words = batch({ nr: NR.getpid }, { nr: NR.close, args: [-1] }, { nr: NR.getppid });
    assert.equal(n.background(words, kept), 0);
    n.join();
    assert.deepEqual(results(words), [process.pid, ERR.EBADF, process.ppid]);
  });

  it("hands a descriptor from one call to the next", () => {
    const fd = new Int32Array(1);
    // write(2) of 4 bytes that the first call stores, into a pipe made here.
    const pipe = new Int32Array(2);
    assert.equal(n.syscall(NR.pipe2, pipe, 0), 0);
    const words = batch(
      { nr: NR.eventfd2, args: [0, 0], store: fd },
      { nr: NR.write, args: [pipe[1], fd, 4] },
      { nr: NR.close, args: [-1], store: fd },
    );
    assert.equal(n.background(words, kept), 0);
    n.join();
    const [made, wrote, refused] = results(words);
    assert.deepEqual([wrote, refused], [4, ERR.EBADF]);
    const read = new Int32Array(1);
    assert.equal(n.syscall(NR.read, pipe[0], read, 4), 4);
    assert.equal(read[0], made);
    assert.equal(fd[0], made, "an error is not stored");
    for (const one of [made, pipe[0], pipe[1]]) n.syscall(NR.close, one);
  });

  it("goes on beside JavaScript, and join waits for it", () => {
    const pipe = new Int32Array(2);
    n.syscall(NR.pipe2, pipe, 0);
    const byte = new Uint8Array(1);
    const words = batch({ nr: NR.read, args: [pipe[0], byte, 1] }, { nr: NR.getpid });
    assert.equal(n.background(words, kept), 0);
    // The thread waits for what only this one can write.
    assert.equal(n.syscall(NR.write, pipe[1], Uint8Array.of(7), 1), 1);
    n.join();
    assert.deepEqual(results(words), [1, process.pid]);
    assert.equal(byte[0], 7);
    for (const one of pipe) n.syscall(NR.close, one);
  });

  it("leaves a call to whoever claims it first, and join tells whether a thread is under way", () => {
    const CLAIMED = 10;
    const pipe = new Int32Array(2);
    n.syscall(NR.pipe2, pipe, 0);
    const words = batch({ nr: NR.read, args: [pipe[0], new Uint8Array(1), 1] }, { nr: NR.getpid }, { nr: NR.getppid });
    const claim = (i) => Atomics.compareExchange(words, CLAIMED + i * WORDS, 0n, 1n) === 0n;
    assert.ok(claim(1));
    n.background(words, kept);
    assert.equal(n.join(false), false, "it waits for the pipe");
    const first = claim(0);
    n.syscall(NR.write, pipe[1], Uint8Array.of(7), 1);
    assert.equal(n.join(true), true);
    assert.equal(n.join(false), true);
    // Whether the thread had begun when the first was claimed is up to the machine.
    assert.deepEqual(results(words), [first ? 0 : 1, 0, process.ppid]);
    assert.ok(!claim(2), "what the thread made cannot be claimed");
    assert.throws(() => n.join(1), TypeError);
    for (const one of pipe) n.syscall(NR.close, one);
  });

  it("refuses a second batch while one is under way, and what is no batch", () => {
    const pipe = new Int32Array(2);
    n.syscall(NR.pipe2, pipe, 0);
    const words = batch({ nr: NR.read, args: [pipe[0], new Uint8Array(1), 1] });
    n.background(words, kept);
    assert.throws(() => n.background(batch(), kept), /a thread is under way/);
    n.syscall(NR.close, pipe[1]);
    n.join();
    assert.deepEqual(results(words), [0]);
    n.syscall(NR.close, pipe[0]);
    n.join();
    for (const wrong of [
      undefined,
      1,
      {},
      new Uint8Array(16),
      new BigUint64Array(0),
      new BigUint64Array(9),
      new BigUint64Array(10),
      new ArrayBuffer(8),
    ])
      assert.throws(() => n.background(wrong, kept), TypeError);
    const lies = batch({ nr: NR.getpid });
    lies[0] = 2n;
    assert.throws(() => n.background(lies, kept), TypeError);
    for (const nothing of [undefined, 1, "x"]) assert.throws(() => n.background(batch(), nothing), TypeError);
    n.background(batch(), kept);
    n.join();
  });

  it("is repeated thousands of times without a thread or a stack left", () => {
    const maps = () => readFileSync("/proc/self/maps", "latin1").split("\n").length;
    const words = batch({ nr: NR.getpid });
    for (let i = 0; i < 100; i++) {
      n.background(words, kept);
      n.join();
    }
    const [threads, mappings] = [readdirSync("/proc/self/task").length, maps()];
    for (let i = 0; i < 3000; i++) {
      n.background(words, kept);
      n.join();
    }
    assert.equal(readdirSync("/proc/self/task").length, threads);
    assert.ok(maps() <= mappings + 5);
  });

  it("survives a worker that ends, and a process that exits, with a thread under way", () => {
    const script = `
      const { Worker, isMainThread } = require("node:worker_threads");
      const module_ = { exports: {} };
      process.dlopen(module_, ${JSON.stringify(path)});
      const n = module_.exports;
      const words = new BigUint64Array(11);
      const time = new BigInt64Array([0n, 30_000_000n]);
      words[0] = 1n;
      words[1] = BigInt(${{ x64: 35, arm64: 101 }[process.arch]});
      words[2] = BigInt(n.addressOf(time));
      n.background(words, [time]);
      if (!isMainThread) process.exit(0);
      let left = 20;
      const next = () => left-- > 0 ? new Worker(__filename).on("exit", next) : (n.join(), n.background(words, [time]), console.log("done"), process.exit(5));
      next();
    `;
    const folder = mkdtempSync(join(tmpdir(), "skep-native-"));
    try {
      const file = join(folder, "worker.cjs");
      writeFileSync(file, script);
      const run = spawnSync(process.execPath, [file], { encoding: "utf8", timeout: 60_000 });
      assert.deepEqual([run.stdout, run.status, run.signal], ["done\n", 5, null], run.stderr);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe("spawn", () => {
  /** C's argv: pointers to NUL-terminated strings, which `kept` keeps where they are. */
  const vector = (...words) => {
    const kept = words.map((word) => Buffer.from(`${word}\0`));
    return { kept, pointers: new BigUint64Array([...kept.map((b) => BigInt(n.addressOf(b))), 0n]) };
  };
  const start = (file, ...words) => {
    const pidfd = new Int32Array(1);
    const argv = vector(...words);
    const envp = vector("A=2");
    return { pid: n.spawn(Buffer.from(`${file}\0`), argv.pointers, envp.pointers, pidfd), pidfd: pidfd[0] };
  };
  const wait = (pid) => {
    const status = new Int32Array(1);
    assert.equal(n.syscall(NR.wait4, pid, status, 0, 0), pid);
    return status[0];
  };

  it("starts a program and says how it can be waited for", async () => {
    const { pid, pidfd } = start("/bin/sh", "sh", "-c", 'exit "$1$A"', "sh", "4");
    assert.ok(pid > 0);
    await new Promise((resolve) => {
      const handle = n.poll(pidfd, () => {
        handle.close();
        resolve();
      });
      handle.start();
    });
    assert.equal(wait(pid), 42 << 8);
    closeSync(pidfd);
  });

  it("gives the child default signals, none blocked, and blocking standard streams that stay open", () => {
    const script = `
      const addon = { exports: {} };
      process.dlopen(addon, ${JSON.stringify(path)});
      const n = addon.exports;
      const words = ["sh", "-c", "cat /proc/self/status; echo in: $(cat)"].map((w) => Buffer.from(w + "\\0"));
      const argv = new BigUint64Array([...words.map((b) => BigInt(n.addressOf(b))), 0n]);
      const env = [Buffer.from("PATH=" + process.env.PATH + "\\0")];
      const envp = new BigUint64Array([BigInt(n.addressOf(env[0])), 0n]);
      const pidfd = new Int32Array(1);
      process.stdout; process.on("SIGUSR1", () => {});
      const pid = n.spawn(Buffer.from("/bin/sh\\0"), argv, envp, pidfd);
      n.syscall(${NR.wait4}, pid, 0, 0, 0);
    `;
    const { stdout, stderr } = spawnSync(process.execPath, ["-e", script], { input: "text", encoding: "utf8" });
    assert.match(stdout, /SigBlk:\s+0{16}/, stderr);
    assert.match(stdout, /SigIgn:\s+0{16}/);
    assert.match(stdout, /SigCgt:\s+0{16}/);
    assert.match(stdout, /in: text/);
  });

  it("gives the errno of execve, and leaves no process behind", () => {
    assert.equal(start("/nonexistent", "x").pid, -2);
    assert.equal(start("/", "x").pid, -13);
    assert.equal(n.syscall(NR.wait4, -1, 0, 1, 0), -10);
  });

  it("starts many, also from a worker", async () => {
    for (let i = 0; i < 200; i++) {
      const { pid, pidfd } = start("/bin/true", "true");
      assert.equal(wait(pid), 0);
      closeSync(pidfd);
    }
    const code = `
      const { parentPort } = require("node:worker_threads");
      const addon = { exports: {} };
      process.dlopen(addon, ${JSON.stringify(path)});
      const n = addon.exports;
      const word = Buffer.from("true\\0");
      const argv = new BigUint64Array([BigInt(n.addressOf(word)), 0n]);
      const pid = n.spawn(Buffer.from("/bin/true\\0"), argv, new BigUint64Array(1), new Int32Array(1));
      const status = new Int32Array(1);
      parentPort.postMessage(n.syscall(${NR.wait4}, pid, status, 0, 0) === pid ? status[0] : -1);`;
    const thread = new Worker(code, { eval: true });
    assert.equal(await new Promise((resolve) => thread.once("message", resolve)), 0);
    await thread.terminate();
  });

  it("refuses anything but buffers", () => {
    const b = Buffer.alloc(8);
    for (const args of [[], [b, b, b], [1, b, b, b], [b, "x", b, b], [b, b, null, b], [b, b, b, new Uint8Array(0)]])
      assert.throws(() => n.spawn(...args), TypeError);
    const gone = new BigUint64Array(1);
    detach(gone.buffer);
    assert.throws(() => n.spawn(b, gone, b, b), TypeError);
  });
});

describe("the loader", () => {
  const skip = existsSync(join(root, "node_modules", "esbuild")) ? false : "esbuild is not installed";
  const source = join(root, "src", "runtime", "sys", "native.ts");
  const dir = join(root, ".cache", `loader-${process.pid}`);
  const use = (specifier, code) =>
    `import(${JSON.stringify(specifier)}).then((m) => { m = m.default?.native ? m.default : m; ${code} });`;
  const bundle = (format, ...folders) => {
    const out = join(dir, ...folders, format === "cjs" ? "native.cjs" : "native.js");
    const { buildSync } = createRequire(import.meta.url)("esbuild");
    const logOverride = { "empty-import-meta": "silent" };
    buildSync({ entryPoints: [source], bundle: true, platform: "node", format, logOverride, outfile: out });
    return out;
  };
  const place = (to = path) => {
    rmSync(dir, { recursive: true, force: true });
    const folder = join(dir, "prebuilds", `linux-${process.arch}`);
    mkdirSync(folder, { recursive: true });
    if (to) copyFileSync(to, join(folder, "skep.node"));
  };
  const run = (code, more = {}) => {
    return spawnSync(process.execPath, ["-e", code], {
      env: { ...env, SKEP_NATIVE: "", ...more },
      encoding: "utf8",
      cwd: "/",
    });
  };
  const print = `console.log(m.native().syscall(${NR.getpid}) === process.pid, m.native() === m.native())`;

  for (const [format, ...folders] of [
    ["esm", "dist", "runtime", "sys"],
    ["cjs", "dist", "cli"],
    ["cjs", "dist", "cli", "chunks"],
    ["esm", "bin"],
  ]) {
    it(`finds the addon from ${folders.join("/")} (${format})`, { skip }, () => {
      place();
      try {
        const out = bundle(format, ...folders);
        if (format === "esm") copyFileSync(out, out.replace(/\.js$/, ".mjs"));
        const result = run(use(format === "esm" ? out.replace(/\.js$/, ".mjs") : out, print));
        assert.equal(result.stdout.trim(), "true true", result.stderr);
      } finally {
        rmSync(dir, { recursive: true });
      }
    });
  }

  it("says what is wrong", { skip }, () => {
    const temporary = mkdtempSync(join(tmpdir(), "skep-"));
    try {
      const out = join(temporary, "native.cjs");
      copyFileSync(bundle("cjs", "dist"), out);
      const fail = `try { m.native(); console.log("loaded"); } catch (e) { console.log(e instanceof m.NativeUnavailableError, e instanceof Error, e.name, e.code, e.message); }`;
      const missing = run(use(out, fail)).stdout;
      assert.match(missing, /^true true NativeUnavailableError SKEP_NATIVE_UNAVAILABLE .*missing.*npm run prepare/);
      const wrong = run(use(out, fail), { SKEP_NATIVE: "/nowhere/skep.node" }).stdout;
      assert.match(
        wrong,
        /^true true NativeUnavailableError SKEP_NATIVE_UNAVAILABLE .*does not load.*\/nowhere\/skep\.node/,
      );
      assert.equal(run(use(out, print), { SKEP_NATIVE: path }).stdout.trim(), "true true");
      const other = run(`Object.defineProperty(process, "platform", { value: "darwin" }); ${use(out, fail)}`).stdout;
      assert.match(other, /^true true NativeUnavailableError SKEP_NATIVE_UNAVAILABLE .*Linux only, not on darwin/);
    } finally {
      rmSync(temporary, { recursive: true });
      rmSync(dir, { recursive: true, force: true });
    }
  });
});

describe("native/build.js", () => {
  const script = join(root, "native", "build.js");
  const headers = existsSync(join(root, "node_modules", "node-api-headers"));
  const cc = spawnSync(process.env.CC ?? "cc", ["--version"]).status === 0;
  const skip = cc && headers ? false : "no compiler or headers";
  const build = (code, more = {}) =>
    spawnSync(
      process.execPath,
      ["--input-type=module", "-e", `import { buildNative } from ${JSON.stringify(script)};\n${code}`],
      { env: { ...env, ...more }, encoding: "utf8" },
    );

  it("keeps a binary that is up to date, without a compiler", () => {
    const run = build(`console.log(buildNative({ output: ${JSON.stringify(path)} }).built)`, {
      CC: "/nowhere/cc",
      PATH: "/nowhere",
    });
    assert.equal(run.stdout.trim(), "false", run.stderr);
  });

  it("builds another, warning-free, also without optimisation", { skip }, () => {
    const dir = mkdtempSync(join(tmpdir(), "skep-"));
    try {
      for (const flags of [[], ["-O0"], ["-O3", "-Wconversion", "-Wno-error"]]) {
        const output = join(dir, `${flags.join("") || "plain"}.node`);
        const run = build(
          `console.log(buildNative({ output: ${JSON.stringify(output)}, flags: ${JSON.stringify(flags)} }).built)`,
        );
        assert.equal(run.stdout.trim(), "true", run.stderr);
        assert.equal(load(output).syscall(NR.getpid), process.pid);
      }
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  /** What a file wants of others, but for Node and libuv. */
  const wanted = (tool, file) =>
    spawnSync(tool, ["--undefined-only", file], { encoding: "utf8" })
      .stdout.split("\n")
      .map((line) => line.trim().split(/\s+/).at(-1))
      .filter((name) => name !== "" && !/^(napi|uv)_/.test(name));
  const clang = spawnSync("clang", ["--version"]).status === 0 && headers;

  it("needs no library, not even the compiler's own, whichever compiler and machine", { skip }, () => {
    const dir = mkdtempSync(join(tmpdir(), "skep-"));
    try {
      const builds = [{ output: "gcc.o", flags: ["-c"], env: {} }];
      if (clang) {
        const unused = "-Wno-unused-command-line-argument";
        builds.push({ output: "clang.o", flags: ["-c", unused], env: { CC: "clang" } });
        // As gcc does by default: what is atomic would be a call of a function that is not there.
        const flags = ["-c", unused, "-moutline-atomics"];
        builds.push({ output: "arm64.o", arch: "arm64", flags, env: { CC: "clang" } });
      }
      for (const { env: more, ...options } of builds) {
        const output = join(dir, options.output);
        const run = build(`buildNative(${JSON.stringify({ ...options, output, force: true })})`, more);
        assert.equal(run.status, 0, run.stderr);
        const tool = options.arch === "arm64" ? ["llvm-nm", "llvm-nm-14", "nm"] : ["nm"];
        const found = tool.find((one) => spawnSync(one, ["--version"]).status === 0);
        assert.deepEqual(wanted(found ?? "nm", output), [], options.output);
      }
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it("builds with clang, too", { skip: clang ? false : "no clang" }, () => {
    const dir = mkdtempSync(join(tmpdir(), "skep-"));
    try {
      const output = join(dir, "clang.node");
      const run = build(`buildNative({ output: ${JSON.stringify(output)} })`, { CC: "clang" });
      assert.equal(run.status, 0, run.stderr);
      assert.equal(load(output).syscall(NR.getpid), process.pid);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it("says what to install", () => {
    const dir = mkdtempSync(join(tmpdir(), "skep-"));
    try {
      const output = JSON.stringify(join(dir, "x.node"));
      const none = build(`try { buildNative({ output: ${output} }) } catch (e) { console.log(e.message) }`, {
        PATH: "/nowhere",
        CC: "",
      });
      assert.match(none.stdout, /needs a C compiler: install gcc or clang/);
      const wrong = build(`try { buildNative({ output: ${output} }) } catch (e) { console.log(e.message) }`, {
        CC: "/nowhere/cc",
      });
      assert.match(wrong.stdout, /CC=\/nowhere\/cc does not run/);
      assert.deepEqual(readdirSync(dir), []);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it("ships its sources as text", () =>
    assert.match(readFileSync(join(root, "native", "skep.c"), "utf8"), /NAPI_VERSION 9/));
});
