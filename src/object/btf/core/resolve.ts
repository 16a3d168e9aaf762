import type { Btf } from "../btf.ts";
import { essentialName } from "../essential-name.ts";
import type { BtfType } from "../type.ts";
import { type Access, accessText, parseAccess } from "./access.ts";
import { sameKind } from "./compatible.ts";
import { matchAccess } from "./match.ts";
import { CoreError, type Relocation, typeText } from "./relocation.ts";
import { relocatedValue, type Value } from "./value.ts";

/** What is to be put into the instruction of a relocation. */
export interface Resolution {
  /** There is no value: the instruction must never be reached. */
  readonly poison: boolean;
  /** What the compiler put there, to be compared when `checked`. */
  readonly local: bigint;
  readonly target: bigint;
  readonly checked: boolean;
  /** Bytes that a load or store of the field has in the object and in the kernel; 0 when it is no such relocation. */
  readonly localSize: number;
  readonly targetSize: number;
  /** Whether a load may be made wider or narrower: pointers and unsigned integers only. */
  readonly resizable: boolean;
}

const POISON: Resolution = {
  poison: true,
  local: 0n,
  target: 0n,
  checked: false,
  localSize: 0,
  targetSize: 0,
  resizable: true,
};

/** Where candidates are looked for: the kernel first, and modules only for what the kernel itself lacks. */
export interface CoreTarget {
  readonly kernel: Btf;
  /** Asked for once, when something is not in `kernel`. */
  readonly modules?: () => readonly Btf[];
}

interface Candidate {
  readonly btf: Btf;
  readonly id: number;
}

/**
 * Computes CO-RE relocations of one object against one kernel. Follows what libbpf does
 * (https://docs.kernel.org/bpf/libbpf/libbpf_overview.html, BPF CO-RE), so that an object gets the same instructions
 * from both: every candidate of the same name must come to the same value.
 */
export class CoreResolver {
  readonly #local: Btf;
  readonly #target: CoreTarget;
  readonly #candidates = new Map<number, readonly Candidate[]>();
  readonly #known = new Map<string, Resolution>();

  constructor(local: Btf, target: CoreTarget) {
    this.#local = local;
    this.#target = target;
  }

  /** Throws CoreError where the object contradicts itself or candidates contradict each other. */
  resolve(relocation: Relocation): Resolution {
    const key = `${relocation.kind} ${relocation.type} ${relocation.access}`;
    let known = this.#known.get(key);
    if (known === undefined) {
      known = this.#compute(relocation);
      this.#known.set(key, known);
    }
    return known;
  }

  #compute(relocation: Relocation): Resolution {
    const local = this.#local;
    const access = parseAccess(local, relocation);
    if (relocation.kind === "typeIdLocal") {
      const id = BigInt(relocation.type);
      return { ...POISON, poison: false, local: id, target: id };
    }
    if (local.type(relocation.type).name === "") {
      throw new CoreError(
        `A type without a name (id ${relocation.type}) cannot be looked for in the kernel: give it one.`,
      );
    }
    let found: { readonly access: Access; readonly resolution: Resolution } | undefined;
    const matching: Candidate[] = [];
    for (const candidate of this.#find(relocation.type)) {
      const match = matchAccess(relocation.kind, access, candidate.btf, candidate.id);
      if (match === undefined) continue;
      const resolution = resolutionOf(relocation, access, match);
      if (found !== undefined) {
        if (
          match.bitOffset !== found.access.bitOffset ||
          resolution.poison !== found.resolution.poison ||
          resolution.target !== found.resolution.target
        ) {
          throw new CoreError(
            `The kernel has several types ${typeText(local, relocation.type)}, and they disagree about ${accessText(local, relocation)} (${found.resolution.target} and ${resolution.target}).`,
          );
        }
      } else found = { access: match, resolution };
      matching.push(candidate);
    }
    // Candidates that do not have one member are no candidates for the next one either.
    if (matching.length > 0) this.#candidates.set(relocation.type, matching);
    return found?.resolution ?? resolutionOf(relocation, access, undefined);
  }

  #find(id: number): readonly Candidate[] {
    let candidates = this.#candidates.get(id);
    if (candidates === undefined) {
      const type = this.#local.type(id);
      const { kernel, modules } = this.#target;
      const found = candidatesIn(kernel, type);
      candidates = found.length > 0 ? found : (modules?.() ?? []).flatMap((module) => candidatesIn(module, type, true));
      this.#candidates.set(id, candidates);
    }
    return candidates;
  }
}

function candidatesIn(btf: Btf, type: BtfType, ownOnly = false): Candidate[] {
  return btf
    .candidates(essentialName(type.name))
    .filter((id) => (!ownOnly || id >= btf.firstId) && sameKind(type, btf.type(id)))
    .map((id) => ({ btf, id }));
}

function resolutionOf(relocation: Relocation, local: Access, target: Access | undefined): Resolution {
  const ours = relocatedValue(relocation, local);
  const theirs = relocatedValue(relocation, target);
  if (ours === undefined || theirs === undefined) return POISON;
  return {
    poison: false,
    local: ours.value,
    target: theirs.value,
    checked: ours.checked,
    localSize: ours.access?.size ?? 0,
    targetSize: theirs.access?.size ?? 0,
    resizable: resizable(local.btf, ours, target?.btf, theirs),
  };
}

function resizable(local: Btf, ours: Value, target: Btf | undefined, theirs: Value): boolean {
  if (ours.access === undefined || theirs.access === undefined || target === undefined) return true;
  if (ours.access.size === theirs.access.size) return true;
  const a = local.type(ours.access.type);
  const b = target.type(theirs.access.type);
  if (a.kind === "pointer" && b.kind === "pointer") return true;
  return a.kind === "int" && b.kind === "int" && !a.signed && !b.signed;
}
