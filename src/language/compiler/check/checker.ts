import type { FunctionDecl, GlobalDecl, MapDecl, Module, PrintSite } from "../hir.ts";
import type { Span } from "../span.ts";
import type { Target } from "../target.ts";
import type { FileScope } from "./entity.ts";
import type { AbsentMember } from "./exists.ts";
import { KernelTypes } from "./kernel-types.ts";
import { type Placed, Reporter } from "./report.ts";
import { usdtMaps } from "./usdt.ts";

/** What all parts of the checker share: the kernel that is checked for, what was declared, what is wrong. */
export class Checker {
  readonly target: Target;
  readonly report = new Reporter();
  readonly maps: MapDecl[] = [];
  readonly globals: GlobalDecl[] = [];
  readonly functions: FunctionDecl[] = [];
  readonly prints: PrintSite[] = [];
  /** Aggregations of one-liners whose keys have no type yet: it is that of the first key (infer.ts). */
  readonly untyped = new Set<MapDecl>();
  /** The kernel's types, where it has any: see `kernel`. */
  readonly kernelTypes: KernelTypes | undefined;
  /** What the kernel does not have, of what `exists` is asked of and of what is named on the ways that it decides against. */
  readonly absent: AbsentMember[] = [];
  /** Ways that `exists` decides against are looked at, too, for what they name: for declarations, not for a program. */
  readonly looksAside: boolean;
  #aside = 0;
  /** A program reads arguments of a probe that is written into a program (USDT). */
  readsProbe = false;
  /** A function asks for its program's cookie. */
  asksCookie = false;
  /** The first program at such a probe. */
  probe: Span | undefined;
  readonly #names = new Set<string>();
  #printRing: MapDecl | undefined;

  constructor(target: Target, looksAside = false) {
    this.target = target;
    this.looksAside = looksAside;
    this.kernelTypes = target.btf === undefined ? undefined : new KernelTypes(target.btf);
  }

  span(file: FileScope, node: Placed): Span {
    return { file: file.index, start: node.start, end: node.end };
  }

  /** The kernel's types; an error where the kernel that is compiled for has none. */
  kernel(span: Span): KernelTypes {
    return (
      this.kernelTypes ??
      this.report.fail("EB4001", span, "The types of the kernel are needed here, and it has none.", {
        why: "Fields of kernel structs and arguments of kernel functions are looked up in the kernel's BTF (/sys/kernel/btf/vmlinux).",
        help: "Compile for a kernel with CONFIG_DEBUG_INFO_BTF.",
      })
    );
  }

  /** Looks at a way that `exists` decided against, where that is wanted. What is wrong there nobody is told. */
  aside(look: () => unknown): void {
    if (!this.looksAside) return;
    const { diagnostics } = this.report;
    const { length } = diagnostics;
    this.#aside++;
    this.report.attempt(look);
    this.#aside--;
    diagnostics.length = length;
  }

  /** Notes what is not there; whether it does not matter. */
  isAbsent(member: AbsentMember): boolean {
    this.absent.push(member);
    return this.#aside > 0;
  }

  /** A name that no other map, global or function of the program has: of modules that use the same one, the later get a number. */
  unique(name: string): string {
    let free = name;
    for (let i = 2; this.#names.has(free); i++) free = `${name}_${i}`;
    this.#names.add(free);
    return free;
  }

  /** The ring that `print` writes to. */
  printRing(span: Span): MapDecl {
    if (this.#printRing === undefined) {
      this.#printRing = {
        name: this.unique("print"),
        exported: false,
        kind: "ringbuf",
        prints: true,
        maxEntries: 1 << 18,
        span,
      };
      this.maps.push(this.#printRing);
    }
    return this.#printRing;
  }

  module(): Module {
    const { globals, functions, prints } = this;
    // What was declared by a use that is wrong has no type, and no use.
    const maps = this.maps.filter((map) => !this.untyped.has(map));
    if (this.probe !== undefined && (this.readsProbe || this.asksCookie))
      maps.push(...usdtMaps(this.target.hasHelper("get_attach_cookie", "kprobe"), this.probe));
    return { maps, globals, functions, prints, license: "Dual MIT/GPL" };
  }
}
