// Where declarations of kernel types go (`skep types` fills it): a module that is in the types alone, as each use of it is
// `import type`. It is declared here so that a project's one file of declarations can add to it.
declare module "btf:vmlinux" {}
