// What the user's side cannot ask of a loaded module.
import { load } from "skep";
import * as bio_ from "../positive/biolatency.bpf.ts";
import * as language from "../positive/language.bpf.ts";
import * as open from "../positive/opensnoop.bpf.ts";
import * as xdp from "../positive/xdp.bpf.ts";

using bpf = await load(open);
const bio = await load(bio_);
const x = await load(xdp);
const all = await load(language);
// @ts-expect-error unknown parameter
await load(open, { params: { targetPit: 1 } });
// @ts-expect-error wrong type
await load(open, { params: { targetPid: "1" } });
// @ts-expect-error xdp needs an interface
x.programs.filter.attach();
// @ts-expect-error params are not maps
bio.maps.Key;
// @ts-expect-error no such map
bpf.maps.opened;

// @ts-expect-error events are no bigints
for await (const e of bpf.events.opened) e.pid + e.ts;
// @ts-expect-error events have no such field
for await (const e of bpf.events.opened) e.filename;
// @ts-expect-error a u64 is a bigint
x.maps.blocked.set(1, 2);
// @ts-expect-error what is not exported is not there
bio.maps.started;
// @ts-expect-error a counter with a key has no value of its own
all.maps.byName.value;
// @ts-expect-error a counter without a key has none
all.maps.calls.get(1);
// @ts-expect-error the mean of nothing is not there
all.maps.mean.get(1) + 1;
// @ts-expect-error a histogram is no number
all.maps.sizes.value + 1;
// @ts-expect-error a program that JavaScript runs is not attached
all.programs.nothing.attach();
// @ts-expect-error a program that is attached is not run
all.programs.onOpen.run();
// @ts-expect-error what is handed over has all its fields
all.programs.given.run({ a: 1 });
// @ts-expect-error nothing is handed over
all.programs.nothing.run(1);
// @ts-expect-error functions are no programs
all.programs.parentOf;
// @ts-expect-error a parameter is of its type
await load(language, { params: { verbose: 1 } });
// @ts-expect-error a variable is of its type
all.globals.seen.value = 1;
// @ts-expect-error a source is a path, a URL or a text
await load(open, { source: 5 });
