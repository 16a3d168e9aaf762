import { MACHINE_ORDER } from "../../object/btf/index.ts";
import type { ExternSpec, ObjectSpec } from "../../object/spec/index.ts";
import type { Surroundings } from "./cpu/translate.ts";
import { kfuncResolver } from "./helper/index.ts";
import { kfuncs } from "./helper/kfuncs.ts";
import type { MachineOptions } from "./machine-options.ts";
import { KeyedMachineMap } from "./map/keyed-map.ts";
import type { MachineMap } from "./map/machine-map.ts";
import type { AddressSpace } from "./memory/address-space.ts";
import { putInteger } from "./memory/integers.ts";

/** What the instructions of an object name: its maps, its functions, what it wants of the kernel. */
export function surroundingsOf(
  space: AddressSpace,
  maps: ReadonlyMap<string, MachineMap>,
  spec: ObjectSpec,
  options: MachineOptions,
  helper: Surroundings["helper"],
): Surroundings {
  const functions = new Map<number, bigint>();
  const given = options.externs ?? {};
  const { btf } = options;
  const kernelFunctions = new Map<string, bigint>();
  const functionAddress = (name: string): bigint => {
    const address = kernelFunctions.get(name) ?? space.add("kernel memory", name, new Uint8Array(0), false).address;
    kernelFunctions.set(name, address);
    return address;
  };
  const little = (spec.byteOrder ?? MACHINE_ORDER) === "little";
  return {
    little,
    helper,
    kfunc: kfuncResolver(options.kfuncs ?? {}),
    kfuncName: (id) => {
      const type = btf !== undefined && id > 0 && id < btf.endId ? btf.type(id) : undefined;
      return type === undefined ? `of type ${id}` : type.name;
    },
    mapAddress: (name) => maps.get(name)?._handle.address,
    mapValueAddress: (name, offset) => maps.get(name)?._valueAddress(offset),
    functionAddress: (entry, name) => {
      let address = functions.get(entry);
      if (address === undefined) {
        const region = space.add("function", name, new Uint8Array(0), false);
        region.owner = entry;
        ({ address } = region);
        functions.set(entry, address);
      }
      return address;
    },
    externAddress: (name) => {
      const value = Object.hasOwn(given, name) ? given[name] : undefined;
      const extern = spec.externs?.[name];
      // Programs ask by its address whether there is a function before they call it.
      if (extern?.kind === "kfunc" && (name in kfuncs || options.kfuncs?.[name] !== undefined))
        return functionAddress(name);
      if (extern?.kind === "kconfig") return optionAddress(maps.get(".kconfig"), extern, value, little);
      return value === undefined ? (extern?.weak === true ? 0n : undefined) : BigInt(value);
    },
  };
}

/** The address of a value of the kernel's configuration, which is put there; undefined where there is none. */
function optionAddress(
  map: MachineMap | undefined,
  { offset = 0, size = 0, weak }: ExternSpec,
  value: bigint | number | undefined,
  little: boolean,
): bigint | undefined {
  const entry = map instanceof KeyedMachineMap ? map._find(new Uint8Array(4), false) : undefined;
  const bytes = entry?.values[0];
  if (map === undefined || bytes === undefined) return undefined;
  if (value !== undefined) putInteger(bytes.subarray(offset, offset + size), BigInt(value), little);
  else if (!weak) return undefined;
  return map._valueAddress(offset);
}
