// An ELF program made in memory, with probes written into it as compilers do: for readers that must take both classes and byte
// orders, of which this machine's compilers make one.

export interface ProbedElf {
  readonly bits: 32 | 64;
  readonly little?: boolean;
  readonly machine?: number;
  readonly probes: readonly {
    readonly provider: string;
    readonly name: string;
    readonly argumentText: string;
    readonly address: number;
    readonly semaphore?: number;
  }[];
  /** Where the notes say that `.stapsdt.base` was, and where it is. */
  readonly base?: readonly [noted: number, actual: number];
  /** A function's name and address, in `.symtab`. */
  readonly symbol?: readonly [name: string, address: number];
}

/** Code is loaded from byte 0x200 of the file to 0x1200, data from 0x300 to 0x3300; each has 0x100 bytes. */
export function probedElf({ bits, little = true, machine = 62, probes, base, symbol }: ProbedElf): Uint8Array {
  const size = bits / 8;
  const bytes: number[] = [];
  const number = (width: number, value: number) => {
    const view = new DataView(new ArrayBuffer(8));
    if (width === 8) view.setBigUint64(0, BigInt(value), little);
    else if (width === 4) view.setUint32(0, value, little);
    else view.setUint16(0, value, little);
    bytes.push(...new Uint8Array(view.buffer, 0, width));
  };
  const text = (value: string) => [...new TextEncoder().encode(`${value}\0`)];
  const part = (write: () => void): number[] => {
    const before = bytes.splice(0);
    write();
    const made = bytes.splice(0);
    bytes.push(...before);
    return made;
  };
  const pad = (made: number[]) => [...made, ...new Array((4 - (made.length % 4)) % 4).fill(0)];
  const notes = probes.flatMap((probe) => {
    const description = part(() => {
      for (const value of [probe.address, base?.[0] ?? 0, probe.semaphore ?? 0]) number(size, value);
      bytes.push(...text(probe.provider), ...text(probe.name), ...text(probe.argumentText));
    });
    const header = part(() => {
      for (const value of [8, description.length, 3]) number(4, value);
    });
    return [...header, ...text("stapsdt"), ...pad(description)];
  });
  const names = ["", ".note.stapsdt", ".stapsdt.base", ".symtab", ".strtab", ".shstrtab"];
  const nameAt = (name: string) => text(names.slice(0, names.indexOf(name)).join("\0")).length % 65536;
  const strings = [...text(""), ...text(symbol?.[0] ?? "")];
  const symbols = part(() => {
    bytes.push(...new Array(bits === 32 ? 16 : 24).fill(0));
    if (symbol === undefined) return;
    number(4, 1);
    if (bits === 32) for (const value of [symbol[1], 16]) number(4, value);
    bytes.push(0x12, 0);
    number(2, 1);
    if (bits === 64) for (const value of [symbol[1], 16]) number(8, value);
  });
  const tables = [
    { name: ".note.stapsdt", type: 7, made: notes },
    { name: ".stapsdt.base", type: 1, made: [0], address: base?.[1] ?? 0 },
    { name: ".symtab", type: 2, made: symbols, link: 4 },
    { name: ".strtab", type: 3, made: strings },
    { name: ".shstrtab", type: 3, made: text(names.join("\0")) },
  ].filter(({ name }) => name !== ".stapsdt.base" || base !== undefined);
  if (base === undefined) for (const one of tables) if (one.link === 4) one.link = 3;
  let at = 0x400;
  const placed = tables.map((table) => {
    const offset = at;
    at += Math.ceil(table.made.length / 8) * 8;
    return { ...table, offset };
  });
  const sectionsAt = at;
  const file = part(() => {
    bytes.push(0x7f, 0x45, 0x4c, 0x46, bits === 32 ? 1 : 2, little ? 1 : 2, 1, ...new Array(9).fill(0));
    for (const value of [3, machine]) number(2, value);
    number(4, 1);
    for (const value of [0x1200, bits === 32 ? 52 : 64, sectionsAt]) number(size, value);
    number(4, 0);
    const counts = bits === 32 ? [52, 32, 2, 40] : [64, 56, 2, 64];
    for (const value of [...counts, tables.length + 1, tables.length]) number(2, value);
    for (const [flags, offset, address] of [
      [5, 0x200, 0x1200],
      [6, 0x300, 0x3300],
    ] as const) {
      number(4, 1);
      if (bits === 64) number(4, flags);
      for (const value of [offset, address, address, 0x100, 0x100]) number(size, value);
      if (bits === 32) number(4, flags);
      number(size, 0x1000);
    }
    bytes.push(...new Array(0x400 - bytes.length).fill(0));
    for (const { made, offset } of placed) {
      bytes.push(...new Array(offset - bytes.length).fill(0), ...made);
    }
    bytes.push(...new Array(sectionsAt - bytes.length).fill(0), ...new Array(bits === 32 ? 40 : 64).fill(0));
    for (const { name, type, made, offset, address = 0, link = 0 } of placed) {
      number(4, nameAt(name));
      number(4, type);
      number(size, 0);
      for (const value of [address, offset, made.length]) number(size, value);
      for (const value of [link, 0]) number(4, value);
      for (const value of [4, 0]) number(size, value);
    }
  });
  return Uint8Array.from(file);
}

/** Reads parts of a file that is in memory. */
export const partsOf = (bytes: Uint8Array) => (offset: number, length: number) =>
  bytes.subarray(Math.min(offset, bytes.length), Math.min(offset + length, bytes.length));
