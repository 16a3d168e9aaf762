/** How this machine orders the bytes of a number. */
export const MACHINE_ORDER = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? "little" : "big";
