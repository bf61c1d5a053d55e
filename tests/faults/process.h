/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the kernel and the C library say of this process. Any thread. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

guint process_count_descriptors (void);
guint process_count_threads (void);

/* Waits until there are no more of them than @most, or fails the test: a thread that was joined
 * stays in the kernel's list for a moment, one of a GLib pool for half a second. */
void process_wait_for_descriptors (guint most);
void process_wait_for_threads (guint most);

/* Bytes: those in memory now, shared ones too; and those that were allocated and not freed, which
 * tell of a leak that is smaller than a page. What threads and GLib keep of freed memory counts as
 * allocated: GLIBC_TUNABLES=glibc.malloc.tcache_count=0 and G_SLICE=always-malloc make it exact. 0
 * where the C library does not tell. */
gsize process_get_resident (void);
gsize process_get_allocated (void);

G_END_DECLS
