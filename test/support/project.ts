// Projects that use Skep as people do: installed, with modules of kernel code, run in processes of their own.
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { environment, type Finished, root, run, Scratch } from "./cli.ts";

/** Words before a command that give it a network of its own, with its loopback up. */
const IN_NETWORK = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"];

/** A project with Skep installed, its modules of kernel code, and its program. */
export class Project extends Scratch {
  constructor(files: Readonly<Record<string, string>>) {
    super();
    mkdirSync(this.file("node_modules"));
    symlinkSync(root, this.file("node_modules/skep"));
    writeFileSync(this.file("package.json"), '{ "type": "module" }\n');
    for (const [name, text] of Object.entries(files)) writeFileSync(this.file(name), text);
  }

  /** One of the programs that tsc checks, too. */
  take(name: string): this {
    copyFileSync(join(root, "test/kernel-typescript/positive", name), this.file(name));
    return this;
  }

  /** Runs a program of the project to its end. */
  run(program: string, { network = false, register = true, env = {} } = {}): Promise<Finished> {
    const node = [process.execPath, ...(register ? ["--import", "skep/register"] : []), this.file(program)];
    return run([...(network ? IN_NETWORK : []), ...node], {
      cwd: this.path,
      env: environment({ XDG_CACHE_HOME: this.file("cache"), ...env }),
    });
  }

  /** What it printed as JSON, one value a line. */
  async json(program: string, options: Parameters<Project["run"]>[1] = {}): Promise<unknown[]> {
    const { code, stdout, stderr } = await this.run(program, options);
    assert.equal(code, 0, stderr);
    return stdout
      .trim()
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line));
  }
}

/** Prints what it is given, with what JSON has not. */
export const SHOW = `const show = (value) => console.log(JSON.stringify(value, (_, v) => typeof v === "bigint" ? Number(v) : v instanceof Uint8Array ? [...v] : v));\n`;
