import { describe, expect, it } from "vitest";
import { type CallParts, capturedBytes, capturedText, decodedCall } from "../../../../test/support/decoded-call.ts";
import { FdTable } from "./fd-table.ts";

const AT_FDCWD = -100;
const O_CLOEXEC = 0x80000;

function table(snapshot: Readonly<Record<number, string>> = {}) {
  const files = new FdTable({
    files: new Map(Object.entries(snapshot).map(([fd, text]) => [Number(fd), text])),
    cwd: "/home",
  });
  const apply = (name: string, parts: CallParts = {}) => files.apply(decodedCall(name, { ...parts, files }));
  const open = (path: string, fd: number, flags = 0, dir = AT_FDCWD) =>
    apply("openat", { args: [dir, 1, flags], ret: fd, captures: [capturedText(1, path)] });
  return { files, apply, open };
}

describe("the table of open files", () => {
  it("names what was opened, relative paths made absolute", () => {
    const { files, open, apply } = table();
    open("/etc/hosts", 3);
    open("notes/../todo", 4);
    open("/usr", 5);
    open("lib", 6, 0, 5);
    expect([3, 4, 5, 6].map((fd) => files.text(fd))).toEqual(["/etc/hosts", "/home/todo", "/usr", "/usr/lib"]);
    apply("close", { args: [3] });
    expect(files.text(3)).toBeUndefined();
  });

  it("forgets what it cannot name, and takes no notice of calls that failed or never returned", () => {
    const { files, apply, open } = table({ 3: "/old" });
    apply("openat", { args: [AT_FDCWD, 1, 0], ret: -2, captures: [capturedText(1, "/nowhere")] });
    apply("close", { args: [3], unfinished: true });
    apply("close", { args: [3], ret: -9 });
    expect(files.text(3)).toBe("/old");
    apply("openat", { args: [AT_FDCWD, 1, 0], ret: 3 });
    expect(files.text(3)).toBeUndefined();
    open("relative", 4, 0, 99);
    expect(files.text(4)).toBeUndefined();
  });

  it("follows duplicates", () => {
    const { files, apply } = table({ 3: "/a", 4: "/b" });
    apply("dup", { args: [3], ret: 5 });
    apply("dup2", { args: [3, 4], ret: 4 });
    apply("fcntl", { args: [3, 1030, 10], ret: 10 });
    apply("dup2", { args: [3, 3], ret: 3 });
    expect([3, 4, 5, 10].map((fd) => files.text(fd))).toEqual(["/a", "/a", "/a", "/a"]);
    apply("dup2", { args: [77, 5], ret: 5 });
    expect(files.text(5)).toBeUndefined();
  });

  it("closes on exec what asked for it", () => {
    const { files, apply, open } = table({ 0: "/dev/tty" });
    open("/kept", 3);
    open("/closed", 4, O_CLOEXEC);
    open("/later", 5);
    apply("fcntl", { args: [5, 2, 1] });
    apply("dup3", { args: [3, 6, O_CLOEXEC], ret: 6 });
    apply("pipe2", { args: [1, O_CLOEXEC], captures: [capturedBytes(0, [7, 0, 0, 0, 8, 0, 0, 0])] });
    expect(files.text(7)).toBe("pipe");
    apply("execve");
    expect([0, 3, 4, 5, 6, 7, 8].map((fd) => files.text(fd))).toEqual([
      "/dev/tty",
      "/kept",
      ...Array(5).fill(undefined),
    ]);
  });

  it("closes ranges", () => {
    const { files, apply } = table({ 3: "/a", 4: "/b", 5: "/c" });
    apply("close_range", { args: [4, 0xffffffff, 0] });
    expect([3, 4, 5].map((fd) => files.text(fd))).toEqual(["/a", undefined, undefined]);
  });

  it("follows the working directory, and loses it when it cannot be known", () => {
    const { files, apply, open } = table({ 9: "/srv" });
    apply("chdir", { captures: [capturedText(0, "sub")] });
    open("x", 3);
    apply("fchdir", { args: [9] });
    open("x", 4);
    expect([files.text(3), files.text(4), files.cwd]).toEqual(["/home/sub/x", "/srv/x", "/srv"]);
    apply("chdir");
    open("x", 5);
    expect(files.text(5)).toBeUndefined();
  });

  it("follows renames of files and of the folders they are in, exchanges too", () => {
    const { files, apply } = table({ 3: "/home/a", 4: "/home/dir/x", 5: "/home/ab", 6: "/home/new/y" });
    apply("rename", { captures: [capturedText(0, "a"), capturedText(1, "/srv/b")] });
    apply("renameat2", {
      args: [AT_FDCWD, 1, AT_FDCWD, 1, 2],
      captures: [capturedText(1, "dir"), capturedText(3, "new")],
    });
    apply("rename", { ret: -2, captures: [capturedText(0, "ab"), capturedText(1, "gone")] });
    expect([3, 4, 5, 6].map((fd) => files.text(fd))).toEqual(["/srv/b", "/home/new/x", "/home/ab", "/home/dir/y"]);
    apply("renameat", {
      args: [AT_FDCWD, 1, AT_FDCWD, 1],
      captures: [capturedText(1, "/home"), capturedText(3, "/h")],
    });
    expect([files.cwd, files.text(4)]).toEqual(["/h", "/h/new/x"]);
  });

  it("names an abstract socket without quotes", () => {
    const { files, apply } = table();
    apply("socket", { args: [1, 1, 0], ret: 3 });
    apply("bind", { args: [3, 1, 6], captures: [capturedBytes(1, [1, 0, 0, 97, 32, 98])] });
    expect(files.text(3)).toBe("UNIX:@a b");
  });

  it("parts from its copy, as processes do at fork", () => {
    const { files, open } = table({ 3: "/a" });
    const child = files.copy();
    open("/b", 3);
    expect([files.text(3), child.text(3), child.cwd]).toEqual(["/b", "/a", "/home"]);
  });
});
