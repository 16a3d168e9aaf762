// What must hold of the codecs for every layout, every value and every run of bytes: used with generated code by the unit
// tests, and without it where Node forbids code generation.
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  CodecError,
  makeBoundDecoder,
  makeBoundEncoder,
  makeDecoder,
  makeEncoder,
  memoryOf,
} from "../../src/object/codec/index.ts";
import {
  alignOf,
  decodeModel,
  encodeModel,
  layoutOf,
  modelArbitrary,
  sizeOf,
  TooLarge,
  valueArbitrary,
} from "./codec-model.ts";

/** Bytes before and after the value, which nobody may touch. */
const GUARD = 0xa5;
const BEFORE = 24;
const AFTER = 16;

/** Layouts have the sizes of C, values are written as the model writes them, and read back as they were. */
export function checkRoundTrips(runs: number): void {
  const cases = modelArbitrary.chain((model) => fc.tuple(fc.constant(model), valueArbitrary(model)));
  fc.assert(
    fc.property(cases, ([model, value]) => {
      const layout = layoutOf(model);
      assert.equal(layout.size, sizeOf(model));
      assert.equal(layout.align, alignOf(model));
      const memory = memoryOf(new ArrayBuffer(Math.ceil((BEFORE + layout.size + AFTER) / 8) * 8));
      const encoders = [
        (v: never) => makeEncoder(layout)(memory, BEFORE, v),
        (v: never) => makeBoundEncoder(layout, memory)(BEFORE, v),
        (v: never) => makeBoundEncoder(layout, memory, { live: true })(BEFORE, v),
      ];
      for (const encode of encoders) {
        memory.u8.fill(GUARD);
        encode(value as never);
        const written = [...memory.u8.subarray(BEFORE, BEFORE + layout.size)];
        assert.deepEqual(written, encodeModel(model, value));
        for (const [i, byte] of memory.u8.entries()) {
          if (i < BEFORE || i >= BEFORE + layout.size) assert.equal(byte, GUARD, `byte ${i - BEFORE} was touched`);
        }
      }
      assert.deepStrictEqual(makeDecoder(layout)(memory, BEFORE), value);
    }),
    { numRuns: runs },
  );
}

/** Any bytes at any offset the decoder was made for read as the model reads them, or are refused as it refuses them. */
export function checkDecoding(runs: number): void {
  const cases = modelArbitrary.chain((model) => {
    const size = sizeOf(model);
    // Mostly small bytes, so that numbers are within what a double holds and texts are texts; and the rest, too.
    const byte = fc.oneof(fc.constantFrom(0, 0, 0, 0x41, 0x2f, 0xc3, 0xa9), fc.integer({ min: 0, max: 255 }));
    return fc.tuple(
      fc.constant(model),
      fc.array(byte, { minLength: size, maxLength: size }),
      fc.constantFrom(1 as const, 2 as const, 4 as const, 8 as const),
      fc.integer({ min: 0, max: 3 }),
    );
  });
  fc.assert(
    fc.property(cases, ([model, content, align, step]) => {
      const layout = layoutOf(model);
      const offset = 16 + align * step;
      const memory = memoryOf(new ArrayBuffer(Math.ceil((offset + layout.size + 8) / 8) * 8));
      memory.u8.fill(GUARD);
      memory.u8.set(content, offset);
      const decode = makeDecoder(layout, { align });
      const bound = makeBoundDecoder(layout, memory, { align });
      const live = makeBoundDecoder(layout, memory, { align, live: true });
      let expected: unknown;
      try {
        expected = decodeModel(model, content);
      } catch (error) {
        assert.ok(error instanceof TooLarge);
        assert.throws(() => decode(memory, offset), CodecError);
        assert.throws(() => bound(offset), CodecError);
        assert.throws(() => live(offset), CodecError);
        return;
      }
      assert.deepStrictEqual(decode(memory, offset), expected);
      assert.deepStrictEqual(bound(offset), expected);
      assert.deepStrictEqual(live(offset), expected);
      // Again: what a decoder keeps from one call to the next must not change what it reads.
      assert.deepStrictEqual(decode(memory, offset), expected);
    }),
    { numRuns: runs },
  );
}
