/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A line on stdout for each request that the local server gets: its fields as JSON, without
 * pictures. Writes in a thread of its own. */
#pragma once

#include "server.h"

G_BEGIN_DECLS

typedef struct _FalRequestLog FalRequestLog;

/* Takes the requests that @server keeps; it must live longer. */
FalRequestLog *fal_request_log_new (FalServer *server);
void fal_request_log_free (FalRequestLog *log);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalRequestLog, fal_request_log_free)

G_END_DECLS
