/** Not permitted: what an LSM program returns, negated, to refuse. */
export const EPERM = 1;
/** No such file or entry. */
export const ENOENT = 2;
/** Interrupted. */
export const EINTR = 4;
/** Input or output failed. */
export const EIO = 5;
/** Try again. */
export const EAGAIN = 11;
/** No memory. */
export const ENOMEM = 12;
/** Access denied. */
export const EACCES = 13;
/** In use. */
export const EBUSY = 16;
/** Already there. */
export const EEXIST = 17;
/** Invalid. */
export const EINVAL = 22;
/** No such system call. */
export const ENOSYS = 38;
/** Nobody listens there. */
export const ECONNREFUSED = 111;
