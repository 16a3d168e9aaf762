import type { Hash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Sources } from "../../language/compiler/index.ts";
import { Btf } from "../../object/btf/index.ts";
import { notesOf } from "../../object/elf/index.ts";
import type { ObjectSpec } from "../../object/spec/index.ts";

/** What the compiler was built from: set by the build, so that no compiler uses what another one has made. */
declare const SKEP_BUILD: string | undefined;

const SUM = 32;
const GNU_BUILD_ID = 3;
/** Images that are kept; the oldest ones go. */
const KEPT = 200;

/** What is kept: an object, and what else was found out of its sources; plain data. */
export interface Cached {
  readonly spec: ObjectSpec;
}

/**
 * Compiled modules in files (`$XDG_CACHE_HOME/skep`, `~/.cache/skep`), by their sources, the running kernel's build id and the build
 * of Skep. Whatever is wrong with a file or the folder, compiling once more is the answer: nothing here throws.
 */
export class ImageCache {
  readonly #folder: string;
  readonly #of: string;

  private constructor(folder: string, of: string) {
    this.#folder = folder;
    this.#of = of;
  }

  /**
   * The cache of this user; undefined where the kernel tells no build id, the folder may be written to by others, or Skep runs
   * from its sources, which change.
   */
  static open(
    build: string | undefined = typeof SKEP_BUILD === "undefined" ? undefined : SKEP_BUILD,
  ): ImageCache | undefined {
    const kernel = build === undefined ? undefined : kernelBuildId();
    if (build === undefined || kernel === undefined) return undefined;
    const folder = join(
      process.env["XDG_CACHE_HOME"] || join(process.getBuiltinModule("node:os").homedir(), ".cache"),
      "skep",
    );
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const { uid, mode } = statSync(folder);
      if (uid !== process.getuid?.() || (mode & 0o022) !== 0) return undefined;
    } catch {
      return undefined;
    }
    return new ImageCache(folder, `${build} ${kernel} ${process.arch}`);
  }

  /** What was kept for the sources; `kind` tells different things that are kept of the same sources apart. */
  read<T extends Cached>(sources: Sources, kind = ""): T | undefined {
    try {
      const bytes = readFileSync(this.#path(sources, kind));
      const body = bytes.subarray(SUM);
      if (!sumOf(body).equals(bytes.subarray(0, SUM))) return undefined;
      const { btf, ...kept } = v8().deserialize(body) as T & Packed;
      return { ...kept, spec: btf === undefined ? kept.spec : { ...kept.spec, btf: Btf.parse(btf) } } as unknown as T;
    } catch {
      return undefined;
    }
  }

  /** Keeps what the sources were compiled to. */
  write(sources: Sources, compiled: Cached, kind = ""): void {
    const path = this.#path(sources, kind);
    const part = `${path}.${crypto().randomUUID()}`;
    try {
      const { btf, ...spec } = compiled.spec;
      const packed: Packed = { ...compiled, spec, btf: btf?.bytes };
      const body = v8().serialize(packed);
      writeFileSync(part, Buffer.concat([sumOf(body), body]), { mode: 0o600 });
      // Whole or not at all: others may read it meanwhile.
      renameSync(part, path);
      this.#prune();
    } catch {
      rmSync(part, { force: true });
    }
  }

  #path({ entry, files, own }: Sources, kind: string): string {
    const hash = sha256().update(`${this.#of} ${kind}`);
    if (own !== undefined) hash.update(`\0own\0${[...(own.programs ?? ["*"])].sort().join("\0")}`);
    for (const [path, text] of [...files].sort(([a], [b]) => (a < b ? -1 : 1)))
      hash.update(`\0${path === entry ? "entry" : "file"}\0${path}\0${text.length}\0${text}`);
    return join(this.#folder, `${hash.digest("hex").slice(0, 40)}.image`);
  }

  #prune(): void {
    const images = readdirSync(this.#folder).filter((name) => /^[0-9a-f]{40}\.image/.test(name));
    if (images.length <= KEPT) return;
    const aged = images.map((name) => ({
      path: join(this.#folder, name),
      time: statSync(join(this.#folder, name)).mtimeMs,
    }));
    for (const { path } of aged.sort((a, b) => b.time - a.time).slice(KEPT)) rmSync(path, { force: true });
  }
}

/** A spec whose types are bytes: what `v8.serialize` takes. */
interface Packed extends Cached {
  readonly btf: Uint8Array | undefined;
}

// Loaded when something is compiled: `node:crypto` alone takes milliseconds of whoever imports Skep.
const crypto = () => process.getBuiltinModule("node:crypto");
const v8 = () => process.getBuiltinModule("node:v8");
const sha256 = (): Hash => crypto().createHash("sha256");

function sumOf(bytes: Uint8Array): Buffer {
  return sha256().update(bytes).digest();
}

/** What tells the running kernel from all others that were ever built (`/sys/kernel/notes`). */
function kernelBuildId(): string | undefined {
  try {
    for (const { owner, type, description } of notesOf(readFileSync("/sys/kernel/notes"), true, "/sys/kernel/notes"))
      if (owner === "GNU" && type === GNU_BUILD_ID) return Buffer.from(description).toString("hex");
  } catch {
    // A kernel that hides its notes.
  }
  return undefined;
}
