import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ARCHES, parseSyscallFilter, SyscallFilterError, syscallClasses, syscallName, syscallNames } from "./index.ts";

function chosen(text: string, arch = "x64"): string[] {
  return [...parseSyscallFilter(text, arch)].map((nr) => syscallName(nr, arch) ?? String(nr)).sort();
}

function refusal(text: string, arch = "x64"): string {
  try {
    parseSyscallFilter(text, arch);
  } catch (error) {
    expect(error).toBeInstanceOf(SyscallFilterError);
    expect((error as SyscallFilterError).code).toBe("SKEP_SYSCALL_FILTER");
    return (error as Error).message;
  }
  throw new Error(`"${text}" was taken`);
}

const ALL = syscallNames("x64").filter((name) => name !== undefined).length;

describe("filters over system calls", () => {
  it("take names, with blanks around them", () => {
    expect(chosen("openat")).toEqual(["openat"]);
    expect(chosen(" openat ,\tconnect\n")).toEqual(["connect", "openat"]);
  });

  it("take classes", () => {
    expect(chosen("%net")).toContain("connect");
    expect(chosen("%network")).toEqual(chosen("%net"));
    expect(chosen("%file")).toEqual(expect.arrayContaining(["openat", "execve", "unlink", "statx", "rename"]));
    expect(chosen("%file")).not.toContain("read");
    expect(chosen("%process")).toEqual(
      expect.arrayContaining(["clone", "clone3", "fork", "execve", "exit_group", "wait4"]),
    );
    expect(chosen("%memory")).toEqual(expect.arrayContaining(["mmap", "brk", "mprotect", "mseal"]));
    expect(chosen("%stat")).toEqual(["stat"]);
    expect(chosen("%%stat")).toEqual(["fstat", "lstat", "newfstatat", "stat", "statx"]);
    expect(chosen("%clock", "ia32")).toContain("clock_gettime64");
    for (const c of ["signal", "ipc", "desc", "creds", "pure", "clock", "fstat", "lstat", "statfs", "%statfs"])
      expect(chosen(`%${c}`).length, c).toBeGreaterThan(0);
  });

  it("have classes of calls that exist somewhere", () => {
    const known = new Set(ARCHES.flatMap((arch) => syscallNames(arch)));
    expect(syscallClasses("openat")).toEqual(["%file", "%desc"]);
    expect(syscallClasses("no_such_call")).toEqual([]);
    const inSome = [...known].filter((name) => name !== undefined && syscallClasses(name).length > 0);
    expect(inSome.length).toBeGreaterThan(300);
  });

  it("take out what has a !", () => {
    expect(chosen("%%stat,!stat")).toEqual(["fstat", "lstat", "newfstatat", "statx"]);
    expect(chosen("!stat,%%stat")).toHaveLength(ALL - 5);
    expect(chosen("%%stat,!stat,stat")).toContain("stat");
    expect(chosen("all,! futex")).toHaveLength(ALL - 1);
  });

  it("begin with all calls when they begin with !", () => {
    expect(chosen("!futex")).toHaveLength(ALL - 1);
    expect(chosen("!futex,!poll")).toHaveLength(ALL - 2);
    expect(chosen("!futex,poll")).toHaveLength(ALL - 2);
    expect(chosen("!%file,openat,!read")).toContain("openat");
    expect(chosen("!none")).toHaveLength(ALL);
    expect(chosen("!all")).toEqual([]);
  });

  it("take all, none, numbers and regular expressions", () => {
    expect(chosen("all")).toHaveLength(ALL);
    expect(chosen("none")).toEqual([]);
    expect(chosen("257")).toEqual(["openat"]);
    expect(chosen("600")).toEqual(["600"]);
    expect(chosen("/^getpid$")).toEqual(["getpid"]);
    expect(chosen("/^get/")).toEqual(expect.arrayContaining(["getpid", "getrandom", "getdents64"]));
    expect(chosen("/64/,!/^p/")).not.toContain("pread64");
  });

  it("let a call be missing that is written with ?", () => {
    expect(chosen("?open,openat", "arm64")).toEqual(["openat"]);
    expect(chosen("?open")).toEqual(["open"]);
    expect(chosen("!?open,futex", "arm64")).not.toContain("futex");
  });

  it("say what is wrong", () => {
    expect({
      typo: refusal("opneat"),
      part: refusal("pread"),
      nothingNear: refusal("zzzzzzzz"),
      class: refusal("%fiel"),
      classWithoutSign: refusal("file"),
      otherArch: refusal("open", "arm64"),
      onlyThere: refusal("socketcall"),
      empty: refusal(""),
      emptyItem: refusal("openat,,connect"),
      bang: refusal("!"),
      question: refusal("?"),
      regex: refusal("/(get"),
      emptyRegex: refusal("//"),
      noMatch: refusal("/^zzz/"),
      number: refusal("99999"),
      arch: refusal("openat", "mips"),
    }).toMatchInlineSnapshot(`
      {
        "arch": "The system calls of "mips" are not known: there are tables for x64, arm64, ia32, arm. Trace without a filter.",
        "bang": "The filter has an empty item: write names between the commas, such as openat,connect or %file,!stat.",
        "class": "There is no class "%fiel". Did you mean %file? The classes are %file %process %net %signal %ipc %desc %memory %creds %clock %pure %stat %lstat %fstat %%stat %statfs %fstatfs %%statfs.",
        "classWithoutSign": "There is no system call "file"; the class is written %file.",
        "empty": "The filter has an empty item: write names between the commas, such as openat,connect or %file,!stat.",
        "emptyItem": "The filter has an empty item: write names between the commas, such as openat,connect or %file,!stat.",
        "emptyRegex": ""//" is an empty regular expression: write one such as /^get/.",
        "noMatch": "No system call of x64 matches "/^zzz/".",
        "nothingNear": "There is no system call "zzzzzzzz". skep trace --help shows what a filter can say.",
        "number": "99999 is not the number of a system call: they end below 1024.",
        "onlyThere": "The system call "socketcall" does not exist on x64 (it does on ia32). Did you mean socketpair or socket? Write ?socketcall to ignore it where it does not exist.",
        "otherArch": "The system call "open" does not exist on arm64 (it does on x64, ia32, arm). Did you mean openat or openat2 or open_tree? Write ?open to ignore it where it does not exist.",
        "part": "There is no system call "pread". Did you mean preadv or pread64 or preadv2?",
        "question": "The filter has an empty item: write names between the commas, such as openat,connect or %file,!stat.",
        "regex": ""/(get" is not a regular expression (Invalid regular expression: /(get/: Unterminated group). A comma always ends an item, inside it too.",
        "typo": "There is no system call "opneat". Did you mean openat or openat2?",
      }
    `);
  });

  it("throw nothing but SyscallFilterError", () => {
    const piece = fc.oneof(
      fc.constantFrom(
        "openat",
        "%file",
        "!futex",
        "!",
        ",",
        "%",
        "/",
        "/^get/",
        "?x",
        "all",
        "none",
        " ",
        "1e9",
        "%%stat",
      ),
      fc.string({ maxLength: 8 }),
    );
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 6 }),
        fc.constantFrom(...ARCHES, "mips", "__proto__"),
        (pieces, arch) => {
          try {
            for (const nr of parseSyscallFilter(pieces.join(","), arch))
              if (!Number.isInteger(nr) || nr < 0) return false;
            return true;
          } catch (error) {
            return error instanceof SyscallFilterError && error.message.length > 10;
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});
