import { type Fd, openId, openPin } from "../sys/index.ts";
import { IteratorLink } from "./iterator.ts";
import { Link } from "./link.ts";
import type { LinkDetails } from "./link-details.ts";
import { linkInfo } from "./link-info.ts";

/**
 * Opens a link by its id (`linkIds()`, `LinkDetails.id`): to look at it, to put another program there, pin or detach it. It
 * stays attached when it is closed, as long as others hold it. Iterators come as IteratorLink. The caller closes it. Throws
 * SystemError ENOENT when there is none of this id. Linux 5.8; needs CAP_SYS_ADMIN.
 */
export function openLink(id: number): Link {
  return live(openId("BPF_LINK_GET_FD_BY_ID", id, "link"));
}

/**
 * Opens a link pinned in a bpffs (Linux 5.7, and 5.8 to tell its kind); `unpin()` removes the pin. The caller closes it.
 * Throws SystemError ENOENT when nothing is pinned there, TypeError when it is no link.
 */
export function openPinnedLink(path: string): Link {
  const fd = openPin(path, "link");
  const link = live(fd);
  link.pins.add(fd, path);
  return link;
}

/** What the kernel tells of a link (Linux 5.8), by `type`. Throws SystemError, TypeError when it is no link. */
export function linkDetails(link: { readonly fd: Fd | undefined }): LinkDetails {
  if (link.fd === undefined) throw new TypeError("The kernel keeps no BPF link for this attachment.");
  return linkInfo(link.fd);
}

function live(fd: Fd): Link {
  try {
    const { id, type } = linkInfo(fd);
    const description = `${type} link ${id}`;
    return type === "iter" ? new IteratorLink(description, fd) : new Link(description, { link: fd });
  } catch (error) {
    fd.close();
    throw error;
  }
}
