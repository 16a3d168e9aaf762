// Probes that are written into programs (USDT): the fixture `usdt` has some with arguments of every form.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compile } from "../../src/language/compiler/index.ts";
import {
  attachUsdt,
  type KeyedMap,
  type Link,
  type LoadedObject,
  loadObject,
  r0,
  r1,
  r6,
  usdtProbes,
} from "../../src/sdk/index.ts";
import { liveTarget } from "../../src/sdk/kernel-typescript/index.ts";
import { countingObject } from "../support/attach-programs.ts";
import { conversation } from "../support/conversation.ts";
import { fixture } from "../support/fixture.ts";
import { kernelIsAtLeast, kernelTest } from "../support/kernel-test.ts";
import { runWithMount } from "../support/mounts.ts";
import { fixture as object } from "../support/objects.ts";

const path = fixture("usdt");
const x64 = process.arch === "x64" ? undefined : "the program with the probes is x86-64 assembly";
const usdt = { attach: "uprobes", unless: x64 } as const;
const provider = "skep";

interface Hit {
  readonly values: readonly bigint[];
  readonly faults: readonly bigint[];
  readonly cookie: bigint;
  readonly spec: number;
  readonly count: number;
}

const load = (name = "usdt.el", wanted = 0) => loadObject(object(name), { variables: { wanted } }) as LoadedObject;
const program = (loaded: LoadedObject, name = "on_probe") => {
  const found = loaded.programs[name];
  assert.ok(found !== undefined);
  return found;
};
const hits = (loaded: LoadedObject) => Number(loaded.variables["hits"]?.get());
const hitAt = (loaded: LoadedObject, at: number): Hit => {
  const hit = (loaded.variables["seen"]?.get() as readonly Hit[] | undefined)?.[at];
  assert.ok(hit !== undefined);
  return hit;
};
const seen = (loaded: LoadedObject, at: number): readonly bigint[] => {
  const { values, faults, count } = hitAt(loaded, at);
  assert.ok(
    faults.every((fault) => fault === 0n),
    String(faults),
  );
  return values.slice(0, count).map((value) => BigInt.asIntN(64, value));
};

kernelTest("USDT: the probes of a program are listed with their places", { unless: x64 }, () => {
  const probes = usdtProbes(path);
  const names = probes.map(({ name, places }) => `${name} ${places.length}`);
  assert.deepEqual(names, ["forms 1", "plain 1", "nothing 1", "variable 1", "thirteen 1", "site 4", "counted 1"]);
  assert.ok(probes.every((probe) => probe.provider === provider));
  assert.ok(probes.at(-1)?.places[0]?.semaphoreOffset !== undefined);
  assert.throws(() => usdtProbes("/dev/null"), { code: "SKEP_ELF", message: /^\/dev\/null cannot be read/ });
  assert.throws(() => usdtProbes("/no/such/file"), { code: "ENOENT" });
});

kernelTest("USDT: a program gets arguments of every form, and its cookie", usdt, async () => {
  using loaded = load();
  await conversation([path], async (pid, say) => {
    await say("forms");
    assert.equal(hits(loaded), 0, "nothing is seen before it is attached");
    using link = attachUsdt(loaded, program(loaded), { path, provider, name: "forms", pid, cookie: 2n ** 63n + 5n });
    await say("forms");
    assert.equal(hits(loaded), 1);
    const wide = 0x0123456789abcdefn;
    const expected = [0x1122334455667788n, 0x55667788n, 0x7788n, 0x77n, -7n, -9n, -1n, -5n, 253n, wide, -12817n, 8n];
    assert.deepEqual(seen(loaded, 0), expected);
    assert.equal(hitAt(loaded, 0).cookie, 2n ** 63n + 5n);
    link.close();
    await say("forms");
    assert.equal(hits(loaded), 1, "nothing is seen after it is closed");
  });
});

kernelTest("USDT: a probe without arguments has none, and its cookie is 0 when none is given", usdt, async () => {
  using loaded = load();
  await conversation([path], async (pid, say) => {
    using _link = attachUsdt(loaded, program(loaded), { path, provider, name: "nothing", pid });
    await say("forms");
    assert.equal(hits(loaded), 1);
    assert.deepEqual([hitAt(loaded, 0).count, hitAt(loaded, 0).cookie], [0, 0n]);
  });
});

kernelTest("USDT: all places of a probe are attached, each with its own arguments", usdt, async () => {
  using loaded = load();
  await conversation([path], async (pid, say) => {
    using link = attachUsdt(loaded, program(loaded), { path, provider, name: "site", pid });
    await say("sites 5");
    assert.equal(hits(loaded), 3);
    const values = [0, 1, 2].map((at) => seen(loaded, at));
    assert.deepEqual(values, [
      [5n, 10n],
      [6n, 12n],
      [-17n, 4711n],
    ]);
    // Two of the four places have their arguments in the same registers, and share a description.
    const specs = [0, 1, 2].map((at) => hitAt(loaded, at).spec);
    assert.equal(specs[0], specs[1]);
    assert.notEqual(specs[0], specs[2]);
    await say("sites 101");
    assert.equal(hits(loaded), 7);
    link.close();
    await say("sites 5");
    assert.equal(hits(loaded), 7);
  });
});

kernelTest("USDT: a probe's counter is raised while somebody looks", usdt, async () => {
  using loaded = load();
  await conversation([path], async (pid, say) => {
    assert.equal(await say("counted"), "0");
    const one = attachUsdt(loaded, program(loaded), { path, provider, name: "counted", pid });
    assert.equal(await say("counted"), "1");
    using two = attachUsdt(loaded, program(loaded, "on_other"), { path, provider, name: "counted", pid });
    // The kernel raises it for the place, not for each who looks.
    assert.equal(await say("counted"), "1");
    one.close();
    assert.equal(await say("counted"), "1");
    two.close();
    assert.equal(await say("counted"), "0");
    assert.equal(hits(loaded), 2);
    assert.equal(loaded.variables["other_hits"]?.get(), 2);
    assert.deepEqual(seen(loaded, 0), [21n]);
  });
});

kernelTest("USDT: a process that was not named is not looked at", usdt, async () => {
  using loaded = load();
  await conversation([path], async (pid, say) => {
    await conversation([path], async (_, sayOther) => {
      using _link = attachUsdt(loaded, program(loaded), { path, provider, name: "plain", pid });
      await sayOther("forms");
      assert.equal(hits(loaded), 0);
      await say("forms");
      assert.equal(hits(loaded), 1);
      assert.deepEqual(seen(loaded, 0), [-7n, 253n]);
    });
  });
});

kernelTest(
  "USDT: every process that runs the file, those that begin later too",
  { ...usdt, kernel: "5.15" },
  async () => {
    using loaded = load();
    using _link = attachUsdt(loaded, program(loaded), { path, provider, name: "plain" });
    for (const times of [1, 2]) {
      await conversation([path], async (_, say) => void (await say("forms")));
      assert.equal(hits(loaded), times);
    }
  },
);

kernelTest(
  "USDT: before cookies, a program that is loaded anywhere needs a process that has loaded it",
  { ...usdt, unless: x64 ?? (kernelIsAtLeast("5.15") ? "the kernel has cookies" : undefined) },
  () => {
    using loaded = load();
    const options = { path, provider, name: "plain" };
    assert.throws(() => attachUsdt(loaded, program(loaded), options), {
      code: "SKEP_USDT",
      message: /name the process/,
    });
    assert.throws(() => attachUsdt(loaded, program(loaded), { ...options, pid: process.pid }), {
      code: "SKEP_USDT",
      message: /has not loaded it/,
    });
  },
);

kernelTest("USDT: a program of 32 bits", usdt, async () => {
  using loaded = load();
  const narrow = fixture("usdt32");
  // Every byte that it gets brings it to its probe: of a line, the text's and the line's end.
  using _link = attachUsdt(loaded, program(loaded), { path: narrow, provider, name: "narrow" });
  await conversation([narrow], async (_, say) => {
    assert.equal(await say("A"), "A");
  });
  assert.equal(hits(loaded), 2);
  assert.deepEqual(seen(loaded, 0), [-299n, 65n]);
  assert.deepEqual(seen(loaded, 1), [-298n, 10n]);
});

kernelTest("USDT: numbers of descriptions are free again when their links are closed", usdt, async () => {
  using loaded = load();
  const { maxEntries } = loaded.maps["__bpf_usdt_specs"]?.info ?? { maxEntries: 0 };
  assert.equal(maxEntries, 8);
  await conversation([path], async (pid, say) => {
    const attach = (cookie: bigint, name = "nothing") =>
      attachUsdt(loaded, program(loaded), { path, provider, name, pid, cookie });
    // Before cookies an address has one description at a time.
    if (kernelIsAtLeast("5.15")) {
      const links = Array.from({ length: maxEntries }, (_, i) => attach(BigInt(i)));
      assert.throws(() => attach(100n), { code: "SKEP_USDT", message: /is full: its 8 places are all in use/ });
      // What failed took nothing: an equal description still has its place.
      attach(3n).close();
      links.pop()?.close();
      // Of four places, three descriptions: the one that is free is not enough, and is free again.
      assert.throws(() => attach(100n, "site"), { code: "SKEP_USDT" });
      using _last = attach(100n);
      await say("forms");
      assert.equal(hits(loaded), maxEntries);
      for (const link of links) link.close();
    } else {
      using _first = attach(1n);
      assert.throws(() => attach(2n), { code: "SKEP_USDT", message: /an address stands for one description/ });
      await say("forms");
      assert.equal(hits(loaded), 1);
    }
    for (let i = 0; i < 3 * maxEntries; i++) attach(BigInt(1000 + i)).close();
    using _again = attach(7n);
    const before = hits(loaded);
    await say("forms");
    assert.equal(hits(loaded), before + 1);
    assert.equal(hitAt(loaded, before & 3).cookie, 7n);
  });
});

kernelTest(
  "USDT: a pinned link keeps its numbers of descriptions, one whose pins were taken back does not",
  { ...usdt, attach: "uprobe.multi", command: ["unshare", "mount"] },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "skep-usdt-"));
    try {
      const { code, stdout, stderr } = await runWithMount("pinned-usdt", "bpf", folder, folder, path);
      assert.equal(code, 0, `${stdout}${stderr}`);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

kernelTest("USDT: tables of before there were scaled addresses work, and say what they lack", usdt, async () => {
  using loaded = load("usdtold.el");
  await conversation([path], async (pid, say) => {
    using _link = attachUsdt(loaded, program(loaded), { path, provider, name: "plain", pid, cookie: 9n });
    await say("forms");
    assert.deepEqual(seen(loaded, 0), [-7n, 253n]);
    assert.equal(hitAt(loaded, 0).cookie, 9n);
    assert.throws(() => attachUsdt(loaded, program(loaded, "on_other"), { path, provider, name: "forms", pid }), {
      code: "SKEP_USDT",
      message: /scaled address .* older than libbpf 1\.7/,
    });
  });
});

kernelTest("USDT: what cannot be attached to is refused with its reason, and leaves nothing", usdt, async () => {
  using loaded = load();
  await conversation([path], async (pid, say) => {
    const attach = (name: string, more = {}) =>
      attachUsdt(loaded, program(loaded), { path, provider, name, pid, ...more });
    assert.throws(() => attach("none"), { code: "SKEP_USDT", message: /has no probe skep:none; it has skep:forms, / });
    assert.throws(() => attach("forms", { path: fixture("probed") }), { code: "SKEP_USDT", message: /and no other/ });
    assert.throws(() => attach("forms", { path: "/dev/null" }), { code: "SKEP_ELF" });
    const variable = /skep:variable: Argument 0 of the probe, "8@table\(%rip\)", cannot be read: it is a variable/;
    assert.throws(() => attach("variable"), { code: "SKEP_USDT_ARGUMENT", message: variable });
    assert.throws(() => attach("thirteen"), { code: "SKEP_USDT", message: /has 13 arguments.*room for 12/ });
    assert.throws(() => attach("plain", { pid: 2 ** 22 + 1 }), /ESRCH|ENOENT/);
    await say("forms");
    assert.equal(hits(loaded), 0);
    using _link = attach("plain");
    await say("forms");
    assert.equal(hits(loaded), 1);
  });
});

kernelTest("USDT: one uprobe for each place, where a program is not loaded for uprobe.multi", usdt, async () => {
  const spec = object("usdt.el");
  const { on_probe, ...others } = spec.programs;
  assert.ok(on_probe !== undefined);
  const { section: _, ...plain } = on_probe;
  using loaded = loadObject({ ...spec, programs: { ...others, on_probe: plain } }) as LoadedObject;
  assert.equal(program(loaded).spec.expectedAttachType, undefined);
  await conversation([path], async (pid, say) => {
    using link = attachUsdt(loaded, program(loaded), { path, provider, name: "site", pid });
    assert.equal(link.fd, undefined);
    await say("sites 5");
    assert.deepEqual([hits(loaded), seen(loaded, 2)], [3, [-17n, 4711n]]);
    link.close();
    await say("sites 5");
    assert.equal(hits(loaded), 3);
    using _counted = attachUsdt(loaded, program(loaded), { path, provider, name: "counted", pid });
    assert.equal(await say("counted"), "1");
  });
});

kernelTest(
  "USDT: with uprobe.multi all places are one link of the kernel's",
  { ...usdt, attach: ["uprobes", "uprobe.multi"], kernel: "6.10" },
  async () => {
    using loaded = load();
    assert.equal(program(loaded).spec.expectedAttachType, "trace_uprobe_multi");
    await conversation([path], async (pid) => {
      using link = attachUsdt(loaded, program(loaded), { path, provider, name: "site", pid });
      assert.ok(link.fd !== undefined);
    });
  },
);

kernelTest("USDT: a program without tables gets the cookie itself", { ...usdt, kernel: "5.15" }, async () => {
  using loaded = loadObject(
    countingObject({
      type: "kprobe",
      own: false,
      when: (a) => void a.mov(r1, r6).call("get_attach_cookie").jne(r0, 4711, "out"),
    }),
  );
  await conversation([path], async (pid, say) => {
    using _link = attachUsdt(loaded, loaded.programs.p, { path, provider, name: "variable", pid, cookie: 4711n });
    await say("forms");
    assert.equal(loaded.maps.counts.get(0)?.[0], 1n);
  });
});

kernelTest("USDT: a program of kernel TypeScript gets arguments of every form, and its cookie", usdt, async () => {
  const source = (name: string) => `
    import { array, arrayMap, cookie, i64, struct, u64, usdt } from "skep/kernel";
    export const seen = arrayMap(struct({ count: u64, cookie: u64, values: array(i64, 12) }), 1);
    export const on_probe = usdt("${path}", "${provider}", "${name}", (ctx) => {
      const s = seen.ref(0);
      s.count += 1;
      s.cookie = cookie();
      ${Array.from({ length: 12 }, (_, i) => `s.values[${i}] = ctx.args[${i}];`).join(" ")}
    });`;
  const compiled = (name: string) => {
    const { spec, diagnostics } = compile(
      { entry: "a.bpf.ts", files: new Map([["a.bpf.ts", source(name)]]) },
      liveTarget(),
    );
    assert.deepEqual(diagnostics, []);
    assert.ok(spec !== undefined);
    return loadObject(spec) as LoadedObject;
  };
  const seenBy = (loaded: LoadedObject) =>
    (loaded.maps["seen"] as KeyedMap<number, { count: bigint; cookie: bigint; values: readonly bigint[] }>).get(0);
  using forms = compiled("forms");
  using sites = compiled("site");
  await conversation([path], async (pid, say) => {
    using link = attachUsdt(forms, program(forms), { path, provider, name: "forms", pid, cookie: 2n ** 63n + 5n });
    await say("forms");
    const wide = 0x0123456789abcdefn;
    const values = [0x1122334455667788n, 0x55667788n, 0x7788n, 0x77n, -7n, -9n, -1n, -5n, 253n, wide, -12817n, 8n];
    assert.deepEqual(seenBy(forms), { count: 1n, cookie: 2n ** 63n + 5n, values });
    link.close();
    await say("forms");
    assert.equal(seenBy(forms)?.count, 1n);
    // As its section says, and every place with its own arguments; what the probe does not have is 0.
    using _all = sites.attach({ pid, cookie: 7n })["on_probe"] as Link;
    await say("sites 101");
    assert.deepEqual(seenBy(sites), { count: 4n, cookie: 7n, values: [-17n, 4711n, ...Array(10).fill(0n)] });
  });
});

const header = "/usr/include/bpf/usdt.bpf.h";
kernelTest(
  "USDT: a program compiled with libbpf's own usdt.bpf.h",
  { ...usdt, command: "clang", unless: x64 ?? (existsSync(header) ? undefined : `${header} is not there`) },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "skep-usdt-"));
    try {
      writeFileSync(
        join(folder, "theirs.bpf.c"),
        `#include <stdbool.h>
#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <bpf/bpf_helpers.h>
#include <bpf/usdt.bpf.h>
char _license[] SEC("license") = "GPL";
long first, second, cookie;
int count;
SEC("usdt") int BPF_USDT(on_probe, int a, long b) {
  first = a;
  second = b;
  count = bpf_usdt_arg_cnt(ctx);
  cookie = bpf_usdt_cookie(ctx);
  return 0;
}
`,
      );
      const out = join(folder, "theirs.bpf.o");
      const flags = ["-g", "-O2", "-target", "bpf", "-D__TARGET_ARCH_x86", "-I/usr/include/x86_64-linux-gnu"];
      execFileSync("clang", [...flags, "-c", join(folder, "theirs.bpf.c"), "-o", out]);
      using loaded = loadObject(out) as unknown as LoadedObject;
      await conversation([path], async (pid, say) => {
        using _link = attachUsdt(loaded, program(loaded), { path, provider, name: "plain", pid, cookie: -5n });
        await say("forms");
        const values = ["first", "second", "count", "cookie"].map((name) => loaded.variables[name]?.get());
        assert.deepEqual(values, [-7n, 253n, 2, -5n]);
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);
