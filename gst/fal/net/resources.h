/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether the system still gives what a connection needs. GLib takes some of it by the way:
 * descriptors to wake who waits, without which it ends the process, and threads to look names up
 * and for TLS, which it then waits for without a word. So it is looked before. Any thread. */
#pragma once

#include "fal/policy/fault.h"

G_BEGIN_DECLS

/* Error: G_IO_ERROR_TOO_MANY_OPEN_FILES, or G_THREAD_ERROR. */
gboolean fal_resources_check (GError **error);
/* What an error of the above is to a connection. */
FalFault fal_resources_get_fault (const GError *error);

G_END_DECLS
