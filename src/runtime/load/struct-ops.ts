import { Assembler, r0 } from "../../object/asm/index.ts";
import type { Btf, StructType } from "../../object/btf/index.ts";
import { essentialName } from "../../object/btf/index.ts";
import { MapFlag, type MapSpec, MapType, type ObjectSpec } from "../../object/spec/index.ts";
import { StructOpsMap } from "../map/index.ts";
import { BpfAttr, type CapabilityName, Fd, kernelSince, raiseMemlock, SystemError, TOKEN_FLAG } from "../sys/index.ts";
import type { KernelTypeId, KernelTypes } from "./kernel-types.ts";
import { loadProgram } from "./load-program.ts";
import { ObjectError } from "./object-error.ts";

const EPERM = 1;
const ENOTSUPP = 524;
const NOTHING = new Assembler().label("types").mov(r0, 0).exit().instructions();

/** A table of functions, fitted to the kernel's structure of that name. */
interface Fitted {
  /** The kernel's structure itself, which programs name as their target. */
  readonly target: KernelTypeId;
  /** `bpf_struct_ops_NAME`: what the value of the map is. */
  readonly value: KernelTypeId;
  readonly valueSize: number;
  readonly contents: Uint8Array;
  /** Its programs: where each stands in the value, and its number among the kernel's members. */
  readonly functions: readonly { readonly program: string; readonly offset: number; readonly index: number }[];
}

/** What a program of a table is loaded for: the kernel's structure, and which of its members. */
export interface StructOpsTarget {
  readonly attach: KernelTypeId;
  readonly index: number;
}

/**
 * The target of each program that is in a table of the object. Throws ObjectError where the kernel has no such table or no
 * such function.
 */
export function structOpsTargets(spec: ObjectSpec, kernel: KernelTypes): ReadonlyMap<string, StructOpsTarget> {
  const targets = new Map<string, StructOpsTarget>();
  for (const [name, map] of Object.entries(spec.maps)) {
    if (map.type !== "struct_ops") continue;
    const { target, functions } = fitTable(name, map, spec, kernel);
    for (const { program, index } of functions) {
      const known = targets.get(program);
      if (known !== undefined && (known.attach.id !== target.id || known.index !== index))
        throw new ObjectError(
          `Program "${program}" stands in two tables of functions at different places: the kernel checks a program for one.`,
        );
      targets.set(program, { attach: target, index });
    }
  }
  return targets;
}

export interface StructOpsOptions {
  /** The object's types, loaded. */
  readonly types: Fd | undefined;
  readonly needs: readonly CapabilityName[] | undefined;
  readonly token?: Fd | undefined;
}

/** Creates the map of a table; its programs are put in by `fillStructOps` once they are loaded. */
export function createStructOps(
  name: string,
  map: MapSpec,
  spec: ObjectSpec,
  kernel: KernelTypes,
  { types, needs, token }: StructOpsOptions,
): StructOpsMap {
  const { value, valueSize, contents, functions } = fitTable(name, map, spec, kernel);
  const flags =
    (map.linked === true ? MapFlag.link : 0) |
    (value.module === undefined ? 0 : MapFlag.value_type_btf) |
    (token === undefined ? 0 : TOKEN_FLAG);
  // Before the attributes are filled: looking a module up makes calls of its own.
  const moduleFd = value.module === undefined ? undefined : kernel.moduleFd(value.module);
  const create = () => {
    const attr = new BpfAttr()
      .u32(0, MapType.struct_ops)
      .u32(4, 4)
      .u32(8, valueSize)
      .u32(12, 1)
      .u32(16, flags)
      .name(28, map.name ?? name)
      // Looked at for the map's own types, of which there are none, and refused when it is missing.
      .u32(48, types?.number ?? 0)
      .u32(60, value.id);
    if (moduleFd !== undefined) attr.u32(72, moduleFd.number);
    if (token !== undefined) attr.u32(76, token.number);
    return attr.call("BPF_MAP_CREATE");
  };
  let result = create();
  if (result === -EPERM && raiseMemlock()) result = create();
  // Kernels before 5.16 or so read their own types only when the first program is loaded, and know no table until then.
  if (result === -ENOTSUPP) {
    loadProgram("types", { type: "socket_filter", license: "GPL", instructions: NOTHING }, {}).close();
    result = create();
  }
  if (result < 0)
    throw new SystemError({
      errno: -result,
      syscall: "bpf(BPF_MAP_CREATE)",
      doing: `create map "${name}" (struct_ops, ${valueSize} bytes)`,
      hint: map.linked === true ? kernelSince("Links of struct_ops", "6.4") : undefined,
      needs: needs ?? ["CAP_BPF", "CAP_NET_ADMIN"],
    });
  const info = { type: "struct_ops", name, keySize: 4, valueSize, maxEntries: 1, flags } as const;
  const programs = new Map(functions.map(({ program, offset }) => [offset, program]));
  return new StructOpsMap(
    new Fd(result, `map "${name}"`),
    info,
    { contents, functions: programs },
    map.linked === true,
  );
}

/** Puts the loaded programs into the tables. */
export function fillStructOps(
  maps: Readonly<Record<string, unknown>>,
  programs: Readonly<Record<string, { readonly fd: Fd }>>,
): void {
  for (const live of Object.values(maps)) {
    if (!(live instanceof StructOpsMap)) continue;
    for (const [offset, program] of live.functions) {
      const loaded = programs[program];
      if (loaded !== undefined) live.setFunction(offset, loaded.fd.number);
    }
  }
}

/** Compares the object's structure with the kernel's, member by member. */
function fitTable(name: string, map: MapSpec, spec: ObjectSpec, kernel: KernelTypes): Fitted {
  const { btf } = spec;
  const own = btf === undefined || map.valueType === undefined ? undefined : btf.type(map.valueType);
  if (btf === undefined || own?.kind !== "struct")
    throw new ObjectError(`The table of functions "${name}" has no type in the object: compile it with -g.`);
  const wanted = essentialName(own.name);
  const value = kernel.find(`bpf_struct_ops_${wanted}`, "struct");
  if (value === undefined)
    throw new ObjectError(
      `This kernel takes no table of functions ${wanted} ("${name}"): its types have no bpf_struct_ops_${wanted}.`,
    );
  const types = kernel.btfOf(value);
  const whole = types.type(value.id) as StructType;
  const data = whole.members.find((member) => isStruct(types, member.type, wanted));
  if (data === undefined) throw new ObjectError(`bpf_struct_ops_${wanted} of this kernel holds no ${wanted}.`);
  const targetId = types.resolve(data.type);
  const theirs = types.type(targetId) as StructType;
  const contents = new Uint8Array(whole.size);
  const functions: Fitted["functions"][number][] = [];
  const from = map.contents ?? new Uint8Array(own.size);
  for (const member of own.members) {
    const index = theirs.members.findIndex((one) => one.name === member.name);
    const bytes = from.subarray(member.bitOffset / 8, member.bitOffset / 8 + btf.sizeOf(member.type));
    const program = map.functions?.[member.name];
    const other = theirs.members[index];
    if (other === undefined) {
      if (program === undefined && bytes.every((byte) => byte === 0)) continue;
      throw new ObjectError(
        `${wanted} of this kernel has no member "${member.name}", which "${name}" sets${program === undefined ? "" : ` to ${program}`}: leave it out for this kernel.`,
      );
    }
    const offset = (data.bitOffset + other.bitOffset) / 8;
    if (btf.type(btf.resolve(member.type)).kind === "pointer") {
      if (program === undefined) {
        if (bytes.some((byte) => byte !== 0))
          throw new ObjectError(`Member "${member.name}" of "${name}" is a pointer that is no function of the object.`);
        continue;
      }
      functions.push({ program, offset, index });
      continue;
    }
    if (other.bitSize > 0 || member.bitSize > 0 || types.sizeOf(other.type) !== bytes.length)
      throw new ObjectError(
        `Member "${member.name}" of ${wanted} has ${bytes.length} bytes in the object and ${types.sizeOf(other.type)} in this kernel.`,
      );
    contents.set(bytes, offset);
  }
  const target = {
    id: targetId,
    ...(targetId >= types.firstId && value.module !== undefined && { module: value.module }),
  };
  return { target, value, valueSize: whole.size, contents, functions };
}

function isStruct(types: Btf, id: number, name: string): boolean {
  const type = types.type(types.resolve(id));
  return type.kind === "struct" && type.name === name;
}
