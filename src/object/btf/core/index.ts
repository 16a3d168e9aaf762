/** CO-RE: what an object compiled against one kernel's types must be changed to for another's. */
export { accessText } from "./access.ts";
export { typesCompatible } from "./compatible.ts";
export { CoreError, type Relocation, type RelocationKind } from "./relocation.ts";
export { CoreResolver, type CoreTarget, type Resolution } from "./resolve.ts";
