// The uncompressed kernel inside a bzImage. QEMU boots it directly (PVH), which saves the slow guest the unpacking.
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { VmError } from "./home.js";
import { runTool } from "./tools.js";

// The x86 boot protocol (Documentation/arch/x86/boot.rst).
const SETUP_SECTORS = 0x1f1;
const MAGIC = 0x202; // "HdrS"
const PAYLOAD_OFFSET = 0x248;
const PAYLOAD_LENGTH = 0x24c;

const FORMATS = [
  { name: "zstd", magic: "28b52ffd", unpack: (tools, bytes) => runTool(tools.zstd, ["-dcq"], { input: bytes }) },
  { name: "xz", magic: "fd377a585a00", unpack: (tools, bytes) => runTool(tools.xz, ["-dc"], { input: bytes }) },
  { name: "lz4", magic: "02214c18", unpack: (tools, bytes) => runTool(tools.lz4, ["-dcq"], { input: bytes }) },
];

export function extractVmlinux(path, tools) {
  const image = readFileSync(path);
  if (image.toString("latin1", 1, 4) === "ELF") return image;
  if (image.toString("latin1", MAGIC, MAGIC + 4) !== "HdrS") throw new VmError(`${path} is not a bzImage.`);
  const start = ((image[SETUP_SECTORS] || 4) + 1) * 512 + image.readUInt32LE(PAYLOAD_OFFSET);
  const payload = image.subarray(start, start + image.readUInt32LE(PAYLOAD_LENGTH));
  const begins = (magic) => payload.toString("hex", 0, magic.length / 2) === magic;
  const format = FORMATS.find(({ magic }) => begins(magic));
  let kernel;
  if (begins("1f8b")) kernel = gunzipSync(payload);
  // The kernel's build appends the unpacked size (four bytes) to every format but gzip, which has it itself.
  else if (format !== undefined) kernel = format.unpack(tools, payload.subarray(0, -4));
  else throw new VmError(`${path} is packed in a way not known here (it begins ${payload.toString("hex", 0, 6)}).`);
  if (kernel.toString("latin1", 1, 4) !== "ELF") throw new VmError(`${path} does not hold an ELF kernel.`);
  return kernel;
}
