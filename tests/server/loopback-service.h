/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Accepts TCP connections on a free port of 127.0.0.1, in the main context that is the default one
 * when it is made. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* The @connection is borrowed. */
typedef void (*FalLoopbackServiceFunc) (GSocketConnection *connection, gpointer user);

typedef struct _FalLoopbackService FalLoopbackService;

/* Accepts at once. A machine without a loopback port ends the program. */
FalLoopbackService *fal_loopback_service_new (FalLoopbackServiceFunc func, gpointer user);
/* In the thread of its context. What it has accepted stays open. */
void fal_loopback_service_free (FalLoopbackService *service);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalLoopbackService, fal_loopback_service_free)

guint fal_loopback_service_get_port (FalLoopbackService *service);

G_END_DECLS
