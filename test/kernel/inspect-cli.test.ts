// skep prog, skep map and skep link: what they print, change and return, beside what the library and the kernel say.
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { BpfAttr, Fd, objectInfo } from "../../src/runtime/sys/index.ts";
import {
  Assembler,
  attachCgroup,
  type KeyedMap,
  type LoadedObject,
  loadObject,
  mapDetails,
  type ObjectSpec,
  possibleCpus,
  programDetails,
  r0,
  r1,
} from "../../src/sdk/index.ts";
import { kernelEnum } from "../support/btf-enums.ts";
import { cgroup2, inOwnCgroup } from "../support/cgroup.ts";
import { AS_NOBODY, type Finished, publicCopy, run, Scratch, skep, skepPath } from "../support/cli.ts";
import { hostTest, kernelIsAtLeast, kernelTest } from "../support/kernel-test.ts";
import { fixture } from "../support/objects.ts";
import { orderPrograms } from "../support/order-programs.ts";
import { pace } from "../support/pace.ts";

/** Runs skep, which must succeed; what it printed. */
async function shows(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await skep(args);
  assert.deepEqual([code, stderr], [0, ""], args.join(" "));
  return stdout;
}

// biome-ignore lint/suspicious/noExplicitAny: what JSON holds is looked at field by field.
async function showsJson(...args: readonly string[]): Promise<any> {
  return JSON.parse(await shows(...args, "--json"));
}

/** A name that nothing else on the machine has. */
const NAME = `skep${process.pid}`;
const ME = { pid: process.pid, command: readFileSync("/proc/self/comm", "utf8").trimEnd() };

/** Programs and maps with types: the fixture `maps`, with a per-CPU map beside, under names of this process's own. */
function typedObject(): LoadedObject {
  const spec = fixture("maps.el");
  const { typed, sized } = spec.maps as Record<string, NonNullable<ObjectSpec["maps"][string]>>;
  assert.ok(typed !== undefined && sized !== undefined);
  const maps = { ...spec.maps, typed: { ...typed, name: NAME }, percpu: { ...typed, type: "percpu_hash" as const } };
  return loadObject({ ...spec, maps }, { pinPath: false });
}

const key = (a: number, b: bigint) => ({ a, b });
const value = (count: bigint, colour: number) => ({ count, name: "bee", colour, bits: { low: 3, high: 9 } });
type Typed = KeyedMap<ReturnType<typeof key>, ReturnType<typeof value>>;
const typedOf = (object: LoadedObject) => object.maps["typed"] as unknown as Typed;
const idOf = (map: unknown) => String(mapDetails(map as never).id);

kernelTest(
  "skep prog list and show tell what is loaded, what it is attached to and who holds it",
  { kernel: "5.8" },
  async () => {
    using object = loadObject(fixture("core.el"), { programs: ["on_enter"], variables: { wanted: process.pid } });
    const program = object.programs["on_enter"];
    assert.ok(program !== undefined);
    using link = program.attachRawTracepoint("sys_enter");
    const details = programDetails(program);
    const { schema, programs } = await showsJson("prog", "list");
    assert.equal(schema, "skep.programs/1");
    const found = programs.find(({ id }: { id: number }) => id === details.id);
    const attached = [{ linkId: link.details().id, target: "raw tracepoint sys_enter" }];
    assert.deepEqual([found.name, found.tag, found.attached, found.holders], ["on_enter", details.tag, attached, [ME]]);
    const row = (await shows("prog", "list")).split("\n").find((line) => line.startsWith(`${details.id} `));
    assert.match(
      row ?? "",
      new RegExp(`raw_tracepoint +on_enter +raw tracepoint sys_enter +[\\d,]+ +${ME.command}\\(${ME.pid}\\)`),
    );
    // By id, by tag, by name.
    const sheet = await shows("prog", "show", "id", String(details.id));
    assert.match(sheet, new RegExp(`^program ${details.id}: raw_tracepoint on_enter\\n  tag +${details.tag}\n`));
    assert.match(sheet, /^ {2}licence +GPL compatible$/m);
    assert.equal(await shows("prog", "show", String(details.id)), sheet);
    const shown = await showsJson("prog", "show", "tag", details.tag);
    assert.deepEqual([shown.schema, shown.mapIds, shown.gplCompatible], ["skep.program/1", details.mapIds, true]);
  },
);

kernelTest("skep prog dump shows instructions with functions, source lines and maps, and machine code", async () => {
  using object = loadObject(fixture("core.el"), { programs: ["on_enter"] });
  const details = programDetails(object.programs["on_enter"] as never);
  const text = await shows("prog", "dump", String(details.id));
  assert.match(
    text,
    /^on_enter:\n; if \(current_pid_tgid\(\) >> 32 != wanted\) return 0; @ .*core\.bpf\.c:64\n {2}call /,
  );
  assert.match(
    text,
    new RegExp(`^  r\\d = map\\["core\\.rodata#${idOf(object.maps[".rodata"])}"\\]\\[0\\]\\+0 ll$`, "m"),
  );
  assert.match(text, /^add_twice:$/m);
  assert.match(text, /^ {2}call add_twice$/m);
  const { instructions } = await showsJson("prog", "dump", String(details.id));
  assert.equal(instructions.length, text.split("\n").filter((line) => line.startsWith("  ")).length);
  if (details.machineBytes === 0) return;
  const code = await shows("prog", "dump", "--jited", String(details.id));
  const bytes = [...code.matchAll(/^ {2}[0-9a-f]{16} {2}((?:[0-9a-f]{2} ?)+)$/gm)].flatMap(([, hex]) =>
    hex?.trim().split(" "),
  );
  assert.equal(bytes.length, details.machineBytes);
});

kernelTest("skep prog dump has as many instructions as bpftool shows", { command: "bpftool" }, async () => {
  using object = loadObject(fixture("core.el"), { programs: ["on_enter"] });
  const id = String(programDetails(object.programs["on_enter"] as never).id);
  const { stdout } = await run(["bpftool", "prog", "dump", "xlated", "id", id]);
  const theirs = stdout.split("\n").filter((line) => /^ +\d+: \(/.test(line));
  const ours = (await shows("prog", "dump", id)).split("\n").filter((line) => line.startsWith("  "));
  assert.equal(ours.length, theirs.length);
  assert.ok(ours.length > 100);
});

/** Runs in turn what the test does and what skep does. */
async function meanwhile(action: () => void, body: () => Promise<void>): Promise<void> {
  const timer = setInterval(action, 5);
  try {
    await body();
  } finally {
    clearInterval(timer);
  }
}

const simple = (
  write: (a: Assembler) => Assembler,
  type: "socket_filter" | "sched_cls" | "xdp" | "raw_tracepoint" = "socket_filter",
) =>
  loadObject({
    maps: {},
    programs: { p: { type, name: NAME, license: "GPL", instructions: write(new Assembler()).exit().instructions() } },
  });

kernelTest("skep prog profile counts runs and their time", { kernel: "5.8" }, async () => {
  using object = simple((a) => a.mov(r0, 0));
  const data = new Uint8Array(14);
  let made = 0;
  await meanwhile(
    () => {
      object.programs.p.testRun({ data, repeat: 10 });
      made += 10;
    },
    async () => {
      const { programs } = await showsJson("prog", "profile", NAME, "-d", "0.5");
      assert.equal(programs.length, 1);
      const [{ name, runs, runsPerSecond, nsPerRun }] = programs;
      assert.equal(name, NAME);
      // The counting may begin and end in the middle of a test run.
      assert.ok(runs >= 10 && runs <= made, `${runs} of ${made}`);
      assert.ok(runsPerSecond > 0 && nsPerRun > 0, `${runsPerSecond}/s, ${nsPerRun} ns`);
      assert.match(await shows("prog", "profile", "-d", "0.5"), new RegExp(`socket_filter +${NAME} +\\d+`));
    },
  );
  assert.match(await shows("prog", "profile", NAME, "-d", "0.1"), /^1 of 1 programs did not run in \d+(\.\d+)? s$/m);
});

kernelTest("skep prog run runs a program over a packet, often, and gives the packet back", async () => {
  using scratch = new Scratch();
  // Returns the packet's length, and XDP_PASS.
  using length = simple((a) => a.load("u32", r0, r1, 0));
  const id = String(programDetails(length.programs.p).id);
  assert.equal(await shows("prog", "run", id), "returned 50 (0x32)\n");
  writeFileSync(scratch.file("packet"), new Uint8Array(100));
  const result = await showsJson("prog", "run", id, "--data", scratch.file("packet"), "-r", "10");
  assert.deepEqual([result.schema, result.retval], ["skep.program-run/1", 86]);
  assert.ok(Number.isInteger(result.durationNs));
  // __sk_buff.mark, given with the context.
  using mark = simple((a) => a.load("u32", r0, r1, 8), "sched_cls");
  const context = new Uint8Array(192);
  context[8] = 77;
  writeFileSync(scratch.file("context"), context);
  const marked = ["prog", "run", String(programDetails(mark.programs.p).id), "--data", scratch.file("packet")];
  assert.equal(await shows(...marked, "--context", scratch.file("context")), "returned 77 (0x4d)\n");
  if (kernelIsAtLeast("5.10")) {
    using cpu = simple((a) => a.call("get_smp_processor_id"), "raw_tracepoint");
    const last = String(availableParallelism() - 1);
    const { retval } = await showsJson("prog", "run", String(programDetails(cpu.programs.p).id), "--cpu", last);
    assert.equal(String(retval), last);
  }
  using pass = simple((a) => a.mov(r0, 2), "xdp");
  const xdp = ["prog", "run", String(programDetails(pass.programs.p).id), "--data", scratch.file("packet")];
  assert.match(
    await shows(...xdp, "-o", scratch.file("out"), "--repeat", "3"),
    /^returned 2 \(0x2\), \d+ ns a run, 3 runs\n$/,
  );
  assert.deepEqual([...readFileSync(scratch.file("out"))], [...new Uint8Array(100)]);
});

hostTest("skep map list, show and dump tell of maps by their own types", async () => {
  using object = typedObject();
  const typed = typedOf(object);
  typed.set(key(1, 2n), value(5n, 2));
  typed.set(key(3, 2n ** 63n), value(2n ** 60n, 7));
  const id = idOf(typed);
  const { maps } = await showsJson("map", "list");
  const found = maps.find(({ name }: { name: string }) => name === NAME);
  assert.deepEqual([found.id, found.type, found.holders], [Number(id), "hash", [ME]]);
  const bss = maps.find((map: { id: number }) => String(map.id) === idOf(object.maps[".bss"]));
  assert.ok(bss.programIds.includes(programDetails(object.programs["entry"] as never).id));
  assert.match(
    await shows("map", "show", NAME),
    new RegExp(`^map ${id}: hash ${NAME}\\n  keys +16 bytes\\n  values +24 bytes`),
  );
  const lines = (await shows("map", "dump", NAME)).trimEnd().split("\n");
  assert.deepEqual(
    new Set(lines),
    new Set([
      '{ a: 1, b: 2 }: { count: 5, name: "bee", colour: BLUE, bits: { low: 3, high: 9 } }',
      '{ a: 3, b: 9223372036854775808 }: { count: 1152921504606846976, name: "bee", colour: 7, bits: { low: 3, high: 9 } }',
    ]),
  );
  // One JSON object a line; 64 bits as texts, so that nothing is rounded.
  const entries = (await shows("map", "dump", id, "--json"))
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.deepEqual(entries.find(({ key: { a } }) => a === 3).value, {
    count: "1152921504606846976",
    name: "bee",
    colour: 7,
    bits: { low: 3, high: 9 },
  });
  // Per-CPU values, global variables by their names, maps in a map, programs in an array.
  const percpu = object.maps["percpu"] as unknown as KeyedMap<ReturnType<typeof key>, ReturnType<typeof value>[]>;
  percpu.set(
    key(7, 8n),
    Array.from({ length: possibleCpus() }, (_, cpu) => value(BigInt(cpu), 1)),
  );
  const perCpu = (await shows("map", "dump", idOf(percpu))).trimEnd().split("\n");
  assert.equal(perCpu.length, 1 + possibleCpus());
  assert.equal(perCpu[1], '  CPU 0: { count: 0, name: "bee", colour: RED, bits: { low: 3, high: 9 } }');
  assert.equal(await shows("map", "dump", idOf(object.maps[".bss"])), "0: { jumped: 0, not_jumped: 0, visited: 0 }\n");
  const [first, second] = [idOf(object.maps["first"]), idOf(object.maps["second"])];
  assert.equal(await shows("map", "dump", idOf(object.maps["outer"])), `1: ${first}\n3: ${second}\n`);
  const target = programDetails(object.programs["target"] as never).id;
  assert.equal(await shows("map", "dump", idOf(object.maps["jumps"])), `1: ${target}\n`);
});

const RHASH = kernelEnum("bpf_map_type")?.get("BPF_MAP_TYPE_RHASH");

kernelTest(
  "a map of a kind that is newer than Skep is told of by its id",
  { unless: RHASH === undefined ? "this kernel has no kind of map that Skep does not know" : undefined },
  async () => {
    const NO_PREALLOC = 1;
    const attr = new BpfAttr()
      .u32(0, RHASH as number)
      .u32(4, 4)
      .u32(8, 4)
      .u32(12, 10)
      .u32(16, NO_PREALLOC);
    const result = attr.call("BPF_MAP_CREATE");
    assert.ok(result >= 0, `${result}`);
    using fd = new Fd(result, "map of a newer kind");
    const id = objectInfo(fd, new Uint8Array(8)).getUint32(4, true);
    assert.deepEqual((await showsJson("map", "list")).notShown, [id]);
    const { code, stderr } = await skep(["map", "list"]);
    assert.deepEqual(
      [code, stderr],
      [0, `skep map: not shown, as their kind is newer than this version of Skep: ${id}\n`],
    );
    const refused = await skep(["map", "show", String(id)]);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /^skep: Map type \d+ is newer than this version of Skep/);
  },
);

hostTest("skep map get, set and delete take keys and values as people write them", async () => {
  using object = typedObject();
  const typed = typedOf(object);
  const id = idOf(typed);
  const where = '{"a": 1, "b": "18446744073709551615"}';
  await shows("map", "set", id, where, '{"count": 7, "name": "ant", "colour": 1, "bits": {"low": 1, "high": 2}}');
  assert.deepEqual(typed.get(key(1, 2n ** 64n - 1n)), { count: 7n, name: "ant", colour: 1, bits: { low: 1, high: 2 } });
  assert.equal(
    await shows("map", "get", NAME, where),
    '{ a: 1, b: 18446744073709551615 }: { count: 7, name: "ant", colour: RED, bits: { low: 1, high: 2 } }\n',
  );
  assert.equal((await showsJson("map", "get", id, where)).value.count, "7");
  const deleted = await showsJson("map", "delete", id, where);
  assert.deepEqual(deleted, { schema: "skep.map-change/1", map: Number(id), deleted: where });
  assert.equal(typed.get(key(1, 2n ** 64n - 1n)), undefined);
  const gone = await skep(["map", "delete", id, where]);
  assert.deepEqual([gone.code, gone.stdout], [1, ""]);
  assert.match(gone.stderr, new RegExp(`^skep map: Map "${NAME}" has no key `));
  assert.equal((await skep(["map", "get", id, where])).code, 1);
  // Without types: bytes.
  const { sized } = object.maps as Record<string, unknown>;
  await shows("map", "set", idOf(sized), "0a000000", "hex 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f 10");
  assert.equal(
    await shows("map", "dump", idOf(sized)),
    "0a 00 00 00: 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f 10\n",
  );
  // An array is indexed; a per-CPU value is a list.
  const first = idOf(object.maps["first"]);
  await shows("map", "set", first, "0", "0xff");
  assert.equal(await shows("map", "get", first, "0"), "0: 255\n");
  const one = { count: 1, name: "", colour: 0, bits: { low: 0, high: 0 } };
  const percpu = idOf(object.maps["percpu"]);
  await shows(
    "map",
    "set",
    percpu,
    '{"a": 0, "b": 0}',
    JSON.stringify(Array.from({ length: possibleCpus() }, () => one)),
  );
  // What is wrong is told, and changes nothing.
  for (const [args, words] of [
    [[id, '{"a": 1}', "{}"], /no key of the map: the field b is missing/],
    [[id, '{"a": 1, "b": 2, "c": 3}', "{}"], /it has no field c \(it has: a, b\)/],
    [
      [id, '{"a": 4294967296, "b": 2}', "{}"],
      /no key\.a of the map: 4294967296 does not fit in 32 bits: it is from 0 to 4294967295/,
    ],
    [
      [id, '{"a": 1, "b": 9007199254740993}', "{}"],
      /no key\.b of the map: 9007199254740992 is not exact as a number of JSON: put it in quotes/,
    ],
    [[id, "{", "{}"], /is no JSON/],
    [[id, '{"a": 1, "b": "x"}', "{}"], /no key\.b of the map: "x" is no number/],
    [[idOf(sized), "0a00", "00"], /no key of the map: it has 4 bytes, and these are 2/],
    [[idOf(sized), "xy000000", "00"], /are no bytes in hexadecimal/],
    [[first, "minus one", "1"], /"minus one" is no number/],
    [[percpu, '{"a": 0, "b": 0}', JSON.stringify(one)], /is no list of \d+/],
    [[first, "1", "1"], /E2BIG|ENOENT/],
    [[idOf(object.maps["events"]), "1", "1"], /it is a ringbuf, which has no keys/],
  ] as const) {
    const { code, stderr, stdout } = await skep(["map", "set", ...args]);
    assert.deepEqual([code, stdout], [1, ""], stderr);
    assert.match(stderr, words);
    assert.doesNotMatch(stderr, /^ {4}at /m);
  }
  const json = JSON.parse((await skep(["map", "set", id, "{", "{}", "--json"])).stdout);
  assert.deepEqual([json.schema, json.code], ["skep.error/1", "SKEP_VALUE"]);
});

hostTest("skep map watch shows what changed from look to look, and only that", async () => {
  using object = typedObject();
  const typed = typedOf(object);
  typed.set(key(1, 1n), value(1n, 1));
  typed.set(key(2, 2n), value(2n, 1));
  const lines: string[] = [];
  const changes = () =>
    lines.map((line) => JSON.parse(line)).map((one) => `${one.what} ${one.key.a} ${one.value.count}`);
  const until = async (count: number) => {
    for (let i = 0; i < pace(400, 3000) && lines.length < count; i++)
      await new Promise((resolve) => setTimeout(resolve, 10));
    assert.equal(lines.length, count, lines.join("\n"));
  };
  let finished: Promise<Finished> | undefined;
  const started = await new Promise<() => void>((resolve) => {
    finished = skep(["map", "watch", NAME, "-i", "0.05", "--json"], {
      started: (child) => {
        child.stdout?.on("data", (chunk: Buffer) =>
          lines.push(
            ...chunk
              .toString()
              .split("\n")
              .filter((line) => line !== ""),
          ),
        );
        resolve(() => void child.kill("SIGINT"));
      },
    });
  });
  // A key that is changed again and again until the first change is seen: then it is looking.
  let turn = 10n;
  while (lines.length === 0) {
    typed.set(key(1, 1n), value(turn++, 1));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await new Promise((resolve) => setTimeout(resolve, pace(300, 2000)));
  lines.length = 0;
  typed.set(key(3, 3n), value(3n, 1));
  await until(1);
  typed.set(key(3, 3n), value(4n, 1));
  await until(2);
  typed.delete(key(3, 3n));
  await until(3);
  assert.deepEqual(changes(), ["added 3 3", "changed 3 4", "removed 3 4"]);
  assert.equal(JSON.parse(lines[1] as string).before.count, "3");
  started();
  const { code, stderr } = (await finished) as Finished;
  assert.deepEqual([code, stderr], [0, ""]);
  // For people, with what it was.
  const text = skep(["map", "watch", NAME, "-i", "0.05", "-d", String(pace(1, 8))]);
  for (let i = 0; i < pace(60, 600); i++) {
    typed.set(key(1, 1n), value(turn++, 1));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { stdout } = await text;
  assert.match(stdout, /^\d\d:\d\d:\d\d\n~ \{ a: 1, b: 1 \}: \{ count: \d+, .*\} {2}was \{ count: \d+, /);
  assert.doesNotMatch(stdout, /a: 2/);
  // It ends by itself after a time, with nothing to tell.
  assert.equal(await shows("map", "watch", NAME, "-i", "0.05", "-d", "0.3"), "");
});

kernelTest("skep link list, show and detach", { ...cgroup2, kernel: "5.9" }, async () => {
  await inOwnCgroup(async (path) => {
    using programs = orderPrograms(1, {
      type: "cgroup_sock",
      expectedAttachType: "cgroup_inet_sock_create",
      result: 1,
    });
    using link = attachCgroup(programs.program(1), path);
    const { id, programId } = link.details();
    const target = `cgroup_inet_sock_create of cgroup ${path}`;
    const { links } = await showsJson("link", "list");
    const found = links.find((one: { id: number }) => one.id === id);
    assert.deepEqual([found.type, found.programId, found.target, found.holders], ["cgroup", programId, target, [ME]]);
    assert.ok((await shows("link", "list")).includes(target));
    const sheet = await shows("link", "show", String(id));
    assert.match(sheet, new RegExp(`^link ${id}: cgroup\\n  attached to +cgroup_inet_sock_create of cgroup /`));
    await shows("link", "detach", String(id));
    // Detached though this process holds it: the cgroup has it no more.
    assert.match(await shows("link", "show", String(id)), /of cgroup that is gone/);
  });
  using object = simple((a) => a.mov(r0, 0), "raw_tracepoint");
  using link = object.programs.p.attachRawTracepoint("sys_enter");
  const { code, stderr } = await skep(["link", "detach", String(link.details().id)]);
  assert.equal(code, 1);
  assert.match(stderr, /^skep: Cannot detach raw_tracepoint link \d+: .*last until nobody holds them/);
});

kernelTest(
  "skep prog, map and link pin keep things in a bpffs, and find them there",
  { kernel: "5.8", command: "unshare" },
  async () => {
    using scratch = new Scratch();
    using object = typedObject();
    using traced = simple((a) => a.mov(r0, 0), "raw_tracepoint");
    using link = traced.programs.p.attachRawTracepoint("sys_enter");
    const folder = scratch.file("bpffs");
    mkdirSync(folder);
    const ids = [programDetails(traced.programs.p).id, idOf(typedOf(object)), link.details().id];
    const script = `mount -t bpf none "$0" || exit 9
    "$1" "$2" prog pin $3 "$0/program" && "$1" "$2" map pin id $4 "$0/map" --json && "$1" "$2" link pin $5 "$0/link" &&
    "$1" "$2" prog show "$0/program" && "$1" "$2" map dump pinned "$0/map" && "$1" "$2" link show "$0/link"
    "$1" "$2" map show "$0/program"; "$1" "$2" prog pin $3 "$0/program"; "$1" "$2" prog pin $3 "$0/a.b"`;
    typedOf(object).set(key(1, 2n), value(5n, 2));
    const words = ["unshare", "--mount", "sh", "-c", script, folder, process.execPath, skepPath, ...ids.map(String)];
    const { stdout, stderr } = await run(words);
    assert.match(
      stdout,
      new RegExp(`^\\{"schema":"skep.pin/1","id":${ids[1]},.*\\}\\nprogram ${ids[0]}: raw_tracepoint ${NAME}\n`),
      stderr,
    );
    assert.match(stdout, /^\{ a: 1, b: 2 \}: \{ count: 5, /m);
    assert.match(stdout, new RegExp(`^link ${ids[2]}: raw_tracepoint$`, "m"));
    const [kind, twice, dot] = stderr.trimEnd().split("\n");
    assert.match(kind ?? "", /There is no map behind map pinned at .*: it is a bpf-prog\./);
    assert.match(twice ?? "", /^skep: .*EEXIST.*Something is pinned at this path already/);
    assert.match(dot ?? "", /^skep: .*EPERM.*takes no dots in names/);
  },
);

hostTest("skep prog, map and link say what is wrong with what they are asked", { kernel: "5.8" }, async () => {
  using object = loadObject(fixture("maps.el"), { pinPath: false });
  using again = loadObject(fixture("maps.el"), { pinPath: false });
  const events = idOf(object.maps["events"]);
  for (const [args, exit, words] of [
    [["prog"], 2, /Say what to do: list, show, dump, profile, run or pin\./],
    [["map", "lost"], 2, /Say what to do: .* or pin, not "lost"/],
    [["link", "show", "name", "x"], 2, /Links have no names/],
    [["prog", "list", "x"], 2, /list takes no words/],
    [["map", "get", events], 2, /get takes the map and one more word, not 0/],
    [["link", "pin", "1"], 2, /one path to pin it at/],
    [["prog", "--none"], 2, /--none/],
    [["prog", "profile", "-d", "soon"], 2, /--duration is a number from 0\.01 on, not "soon"/],
    [["map", "watch", events, "-i", "0"], 2, /--interval is a number from 0\.01 on/],
    [["map", "set", events, "1", "1", "--mode", "maybe"], 2, /--mode is any, noexist or exist/],
    [["map", "show"], 1, /Say which one: an id, a name, or where it is pinned/],
    [["prog", "show", "id", "x"], 1, /"x" is no id/],
    [["prog", "show", "2147483632"], 1, /ENOENT.*There is no program with this id/],
    [["map", "show", "no_such_map"], 1, /There is no map "no_such_map"/],
    [["link", "show", "/no/such/pin"], 1, /ENOENT.*Nothing is pinned at this path/],
    [["map", "get", "typed", "x"], 1, /There are \d+ of that name: say which by its id \(.*\)/],
    [["map", "dump", events], 1, /cannot be listed: it is a ringbuf/],
  ] as const) {
    const { code, stdout, stderr } = await skep(args);
    assert.deepEqual([code, stdout], [exit, ""], `${args.join(" ")}: ${stderr}`);
    assert.match(stderr, words);
    assert.doesNotMatch(stderr, /^ {4}at /m);
  }
  void again;
  for (const command of ["prog", "map", "link"])
    assert.match(await shows(command, "--help"), new RegExp(`^skep ${command}: .*\n\nUsage: skep ${command} list`));
  using scratch = new Scratch();
  const copy = publicCopy(scratch);
  chmodSync(scratch.path, 0o755);
  const { code, stderr } = await run([...AS_NOBODY, process.execPath, copy, "prog", "list"]);
  assert.equal(code, 3, stderr);
  assert.match(stderr, /EPERM.*CAP_SYS_ADMIN/);
});
