// Draft until the asm room is filled.
export interface Register {
  readonly reg: number;
}
export interface Instruction {
  readonly opcode: number;
  readonly dst: number;
  readonly src: number;
  readonly offset: number;
  readonly imm: number;
  readonly imm64?: bigint;
  readonly label?: string;
  readonly target?: string;
  readonly map?: string;
  readonly mapValueOffset?: number;
}
const R = (reg: number): Register => ({ reg });
export const r0 = R(0),
  r1 = R(1),
  r2 = R(2),
  r3 = R(3),
  r4 = R(4),
  r5 = R(5),
  r6 = R(6),
  r7 = R(7),
  r8 = R(8),
  r9 = R(9),
  r10 = R(10);
export const Helper = {
  map_lookup_elem: 1,
  map_update_elem: 2,
  map_delete_elem: 3,
  ktime_get_ns: 5,
  tail_call: 12,
  get_current_pid_tgid: 14,
  get_current_task: 35,
  current_task_under_cgroup: 37,
  probe_read_user: 112,
  probe_read_kernel: 113,
  probe_read_user_str: 114,
  ringbuf_output: 130,
  ringbuf_reserve: 131,
  ringbuf_submit: 132,
  ringbuf_discard: 133,
} as const;
type Src = Register | number | bigint;
type Size = "u8" | "u16" | "u32" | "u64";
const SZ = { u32: 0x00, u16: 0x08, u8: 0x10, u64: 0x18 } as const;
export class Assembler {
  readonly #code: Instruction[] = [];
  #label: string | undefined;
  #push(i: Instruction): this {
    if (this.#label !== undefined) {
      this.#code.push({ ...i, label: this.#label });
      this.#label = undefined;
    } else this.#code.push(i);
    return this;
  }
  label(n: string): this {
    if (this.#label !== undefined) this.#push({ opcode: 5, dst: 0, src: 0, offset: 0, imm: 0 });
    this.#label = n;
    return this;
  }
  #alu(cls: number, op: number, d: Register, s: Src): this {
    return typeof s === "object"
      ? this.#push({ opcode: cls | op | 8, dst: d.reg, src: s.reg, offset: 0, imm: 0 })
      : this.#push({ opcode: cls | op, dst: d.reg, src: 0, offset: 0, imm: Number(s) | 0 });
  }
  mov(d: Register, s: Src): this {
    return this.#alu(7, 0xb0, d, s);
  }
  mov32(d: Register, s: Src): this {
    return this.#alu(4, 0xb0, d, s);
  }
  add(d: Register, s: Src): this {
    return this.#alu(7, 0x00, d, s);
  }
  sub(d: Register, s: Src): this {
    return this.#alu(7, 0x10, d, s);
  }
  mul(d: Register, s: Src): this {
    return this.#alu(7, 0x20, d, s);
  }
  or(d: Register, s: Src): this {
    return this.#alu(7, 0x40, d, s);
  }
  and(d: Register, s: Src): this {
    return this.#alu(7, 0x50, d, s);
  }
  lsh(d: Register, s: Src): this {
    return this.#alu(7, 0x60, d, s);
  }
  rsh(d: Register, s: Src): this {
    return this.#alu(7, 0x70, d, s);
  }
  #jmp(op: number, d: Register, s: Src, t: string): this {
    return typeof s === "object"
      ? this.#push({ opcode: 5 | op | 8, dst: d.reg, src: s.reg, offset: 0, imm: 0, target: t })
      : this.#push({ opcode: 5 | op, dst: d.reg, src: 0, offset: 0, imm: Number(s) | 0, target: t });
  }
  jeq(d: Register, s: Src, t: string): this {
    return this.#jmp(0x10, d, s, t);
  }
  jgt(d: Register, s: Src, t: string): this {
    return this.#jmp(0x20, d, s, t);
  }
  jge(d: Register, s: Src, t: string): this {
    return this.#jmp(0x30, d, s, t);
  }
  jne(d: Register, s: Src, t: string): this {
    return this.#jmp(0x50, d, s, t);
  }
  jsgt(d: Register, s: Src, t: string): this {
    return this.#jmp(0x60, d, s, t);
  }
  jsge(d: Register, s: Src, t: string): this {
    return this.#jmp(0x70, d, s, t);
  }
  jlt(d: Register, s: Src, t: string): this {
    return this.#jmp(0xa0, d, s, t);
  }
  jle(d: Register, s: Src, t: string): this {
    return this.#jmp(0xb0, d, s, t);
  }
  jslt(d: Register, s: Src, t: string): this {
    return this.#jmp(0xc0, d, s, t);
  }
  ja(t: string): this {
    return this.#push({ opcode: 5, dst: 0, src: 0, offset: 0, imm: 0, target: t });
  }
  load(z: Size, d: Register, b: Register, o: number): this {
    return this.#push({ opcode: 0x61 | SZ[z], dst: d.reg, src: b.reg, offset: o, imm: 0 });
  }
  store(z: Size, b: Register, o: number, s: Register | number): this {
    return typeof s === "object"
      ? this.#push({ opcode: 0x63 | SZ[z], dst: b.reg, src: s.reg, offset: o, imm: 0 })
      : this.#push({ opcode: 0x62 | SZ[z], dst: b.reg, src: 0, offset: o, imm: s });
  }
  loadImm64(d: Register, v: bigint | number): this {
    return this.#push({ opcode: 0x18, dst: d.reg, src: 0, offset: 0, imm: 0, imm64: BigInt(v) });
  }
  loadMap(d: Register, m: string): this {
    return this.#push({ opcode: 0x18, dst: d.reg, src: 1, offset: 0, imm: 0, imm64: 0n, map: m });
  }
  loadMapValue(d: Register, m: string, o: number): this {
    return this.#push({ opcode: 0x18, dst: d.reg, src: 2, offset: 0, imm: 0, imm64: 0n, map: m, mapValueOffset: o });
  }
  atomicAdd(z: "u32" | "u64", b: Register, o: number, s: Register): this {
    return this.#push({ opcode: z === "u64" ? 0xdb : 0xc3, dst: b.reg, src: s.reg, offset: o, imm: 0 });
  }
  cmpxchg(z: "u32" | "u64", b: Register, o: number, s: Register): this {
    return this.#push({ opcode: z === "u64" ? 0xdb : 0xc3, dst: b.reg, src: s.reg, offset: o, imm: 0xf1 });
  }
  call(h: number | keyof typeof Helper): this {
    return this.#push({ opcode: 0x85, dst: 0, src: 0, offset: 0, imm: typeof h === "number" ? h : Helper[h] });
  }
  callLocal(t: string): this {
    return this.#push({ opcode: 0x85, dst: 0, src: 1, offset: 0, imm: 0, target: t });
  }
  exit(): this {
    return this.#push({ opcode: 0x95, dst: 0, src: 0, offset: 0, imm: 0 });
  }
  instructions(): readonly Instruction[] {
    return this.#code;
  }
}
export function encode(code: readonly Instruction[]): Uint8Array {
  const labels = new Map<string, number>();
  let n = 0;
  for (const i of code) {
    if (i.label !== undefined) labels.set(i.label, n);
    n += i.opcode === 0x18 ? 2 : 1;
  }
  const v = new DataView(new ArrayBuffer(n * 8));
  let at = 0;
  for (const i of code) {
    let off = i.offset,
      imm = i.imm;
    if (i.target !== undefined) {
      const t = labels.get(i.target);
      if (t === undefined) throw new Error("label " + i.target);
      if (i.opcode === 0x85) imm = t - at - 1;
      else off = t - at - 1;
    }
    v.setUint8(at * 8, i.opcode);
    v.setUint8(at * 8 + 1, i.dst | (i.src << 4));
    v.setInt16(at * 8 + 2, off, true);
    if (i.opcode === 0x18) {
      const x = i.imm64 ?? 0n;
      v.setUint32(at * 8 + 4, Number(x & 0xffffffffn), true);
      v.setUint32(at * 8 + 12, Number((x >> 32n) & 0xffffffffn), true);
      at += 2;
    } else {
      v.setInt32(at * 8 + 4, imm, true);
      at++;
    }
  }
  return new Uint8Array(v.buffer);
}
export function disassemble(code: readonly Instruction[]): string {
  return code.map((i) => JSON.stringify(i, (_, x) => (typeof x === "bigint" ? `${x}` : x))).join("\n");
}
