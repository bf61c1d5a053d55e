/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads along one direction of a WebSocket connection: which message passed when. Pure; belongs to
 * whoever feeds it. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  const gchar *id;    /* its request_id, "" without one */
  gsize size;         /* of its payload */
  gint64 first, last; /* when its first and its last byte passed, µs */
} WiretapMessage;

typedef struct _Wiretap Wiretap;
typedef void (*WiretapHeard) (gpointer user, const WiretapMessage *message);

Wiretap *wiretap_new (WiretapHeard heard, gpointer user);
void wiretap_free (Wiretap *tap);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Wiretap, wiretap_free)

/* From the first byte of the connection on, that of its HTTP head. */
void wiretap_feed (Wiretap *tap, const guint8 *data, gsize size, gint64 time);

G_END_DECLS
