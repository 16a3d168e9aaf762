/** What one-liners may leave out, put in: a rewriting of the syntax tree before it is checked. */
export { type Desugared, desugar } from "./desugar.ts";
export { EXIT_TEXT } from "./exit.ts";
