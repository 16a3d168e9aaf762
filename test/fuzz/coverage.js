// Which lines of a room's compiled modules ran, by V8's own counts.
import { readFileSync } from "node:fs";
import { Session } from "node:inspector";
import { fileURLToPath } from "node:url";

/** Starts to count. */
export function startCoverage() {
  const session = new Session();
  session.connect();
  session.post("Profiler.enable");
  session.post("Profiler.startPreciseCoverage", { callCount: false, detailed: true });
  return {
    /** For each module of these rooms: lines with code in them, and how many of these ran. Once only: V8 forgets. */
    take(rooms) {
      let result;
      session.post("Profiler.takePreciseCoverage", (error, answer) => {
        if (error) throw new Error(error.message);
        result = answer.result;
      });
      const files = result.filter(
        ({ url }) => url.startsWith("file:") && rooms.some((room) => url.includes(`/dist/${room}`)),
      );
      return files.map((file) => linesOf(file)).sort((a, b) => a.file.localeCompare(b.file));
    },
  };
}

function linesOf({ url, functions }) {
  const path = fileURLToPath(url);
  const text = readFileSync(path, "utf8");
  const ran = new Uint8Array(text.length).fill(1);
  // Outer ranges come before those inside them: the innermost one decides.
  const ranges = functions.flatMap((one) => one.ranges);
  ranges.sort((a, b) => a.startOffset - b.startOffset || b.endOffset - a.endOffset);
  for (const { startOffset, endOffset, count } of ranges) ran.fill(count > 0 ? 1 : 0, startOffset, endOffset);
  let lines = 0;
  let covered = 0;
  const missed = [];
  let at = 0;
  for (const [i, line] of text.split("\n").entries()) {
    const from = at;
    at += line.length + 1;
    // Brackets, comments and declarations alone are no code.
    if (!/[A-Za-z0-9]/.test(line) || /^\s*(\/\/|\/\*|\*|import |export \{|\} from)/.test(line)) continue;
    const first = from + line.search(/\S/);
    lines++;
    if (ran[first] === 1) covered++;
    else missed.push(i + 1);
  }
  return { file: path.split("/dist/").at(-1), lines, covered, missed };
}
