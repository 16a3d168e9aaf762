import type { Program } from "@oxc-project/types";
import { parseSync } from "oxc-parser";
import type { Diagnostic } from "../diagnostic.ts";

/** A file's syntax tree (ESTree with TypeScript's nodes), and what is wrong with its syntax. */
export interface ParsedFile {
  readonly program: Program;
  readonly diagnostics: readonly Diagnostic[];
}

/** Parses a TypeScript module. Never throws for what it is given: errors are diagnostics. */
export function parse(path: string, text: string, file: number): ParsedFile {
  const result = parseSync(path.endsWith(".ts") ? path : `${path}.ts`, text, {
    sourceType: "module",
    preserveParens: false,
    showSemanticErrors: true,
  });
  const diagnostics = result.errors
    .filter((error) => error.severity === "Error")
    .map((error): Diagnostic => {
      const label = error.labels[0];
      const end = text.length;
      return {
        code: "EB1000",
        severity: "error",
        message: `This is no TypeScript: ${sentence(error.message)}`,
        span: { file, start: Math.min(label?.start ?? 0, end), end: Math.min(label?.end ?? 0, end) },
        ...(error.helpMessage !== null && error.helpMessage !== undefined && { help: sentence(error.helpMessage) }),
        related: error.labels.slice(1).map(({ start, end: to, message }) => ({
          span: { file, start, end: to },
          message: message ?? "",
        })),
      };
    });
  return { program: result.program, diagnostics };
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
