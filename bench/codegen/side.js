// One of the two programs, loaded: how many instructions it has, and what it collected.
import { encode, KeyedMap, loadObject, openObject, RingBufferReader, bytes as rawBytes } from "../../dist/sdk/index.js";

/** `tp/…` and `tracepoint/…` are the same place; so are the shorter names of the others. */
const SHORT = { tp: "tracepoint", raw_tracepoint: "raw_tp" };
export const placeOf = (section) => {
  const [kind, ...rest] = section.replace(/^\?/, "").split("/");
  return [SHORT[kind] ?? kind, ...rest].join("/");
};

/** What user space sets before it loads such an object. */
function withSizes(spec) {
  const sized = (map) =>
    map.type === "stack_trace" ? { ...map, keySize: 4, valueSize: 127 * 8, maxEntries: map.maxEntries || 1024 } : map;
  return { ...spec, maps: Object.fromEntries(Object.entries(spec.maps).map(([name, map]) => [name, sized(map)])) };
}

/** An object file, as a spec. @param {string} path */
export const readTwin = (path) => withSizes(openObject(path));

/** A variable's value, in a form that JSON takes. */
const plain = (value) => JSON.parse(JSON.stringify(value, (_, one) => (typeof one === "bigint" ? Number(one) : one)));

export class Side {
  #object;
  #names;
  #readers = [];
  #links;

  /**
   * @param {import("../../dist/sdk/index.js").ObjectSpec} spec
   * @param {{ programs: readonly string[], variables?: Record<string, unknown>, names?: Record<string, string> }} options
   *   `names`: what the maps and variables are called here, by their names in C
   */
  constructor(spec, { programs, variables = {}, names = {} }) {
    this.#names = names;
    /** Instructions given to the kernel, by program. */
    this.instructions = {};
    const observe = (name, { instructions, code }) => {
      this.instructions[name] = (code?.bytes ?? encode(instructions)).length / 8;
    };
    const named = Object.fromEntries(Object.entries(variables).map(([name, value]) => [names[name] ?? name, value]));
    this.#object = loadObject(spec, { programs, variables: named, observe, pinPath: false });
  }

  /** Instructions that the verifier went through, on all paths. */
  verified(program) {
    return this.#object.programs[program].details().verifiedInstructions;
  }

  #map(name) {
    const map = this.#object.maps[this.#names[name] ?? name];
    if (map === undefined)
      throw new Error(`there is no map ${name}; there are ${Object.keys(this.#object.maps).join(", ")}`);
    return map;
  }

  /** What its maps are, by their names in C. */
  shapes(names) {
    return Object.fromEntries(
      names.map((name) => {
        const { type, keySize, valueSize, maxEntries } = this.#map(name).info;
        return [name, { type, keySize, valueSize, maxEntries }];
      }),
    );
  }

  #raw(name) {
    const { fd, info } = this.#map(name);
    return new KeyedMap(fd, info, rawBytes(info.keySize), rawBytes(info.valueSize));
  }

  entries(name) {
    return [...this.#raw(name).entries()];
  }

  set(name, key, value) {
    const { info } = this.#map(name);
    const number = (size, of) => {
      const bytes = new Uint8Array(size);
      for (let i = 0; i < size; i++) bytes[i] = Math.floor(of / 256 ** i) & 0xff;
      return bytes;
    };
    this.#raw(name).set(number(info.keySize, key), number(info.valueSize, value));
  }

  variable(name) {
    return plain(this.#object.variables[this.#names[name] ?? name].get());
  }

  attach(options) {
    for (const map of Object.values(this.#object.maps)) if (map.info.type === "ringbuf") this.#readers.push([map, []]);
    this.#links = this.#object.attach(options);
  }

  detach() {
    for (const link of Object.values(this.#links ?? {})) link.close();
    this.#links = undefined;
    for (const [map, records] of this.#readers) {
      const reader = RingBufferReader.raw(map);
      reader.consume((record) => records.push(record));
      reader.close();
    }
  }

  events() {
    return this.#readers.flatMap(([, records]) => records);
  }

  run(program, argument) {
    const context = new Uint8Array(8);
    new DataView(context.buffer).setBigUint64(0, BigInt(argument), true);
    this.#object.programs[program].testRun({ context });
  }

  close() {
    this.#object.close();
  }
}
