/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The live application: a camera's frames go through the element, and pages on loopback show both
 * ends and turn its knobs. In the main thread, whose default main context must run. */
#pragma once

#include "camera.h"

G_BEGIN_DECLS

typedef struct {
  /* Of the element; NULL, 0 and a throttle of -1: not set. */
  const gchar *app, *base_uri, *path, *token, *token_proxy_uri, *auth, *prompt;
  gint width, height, throttle;
  /* Of this machine. */
  gint port;                  /* of the page; 0: any */
  LiveCameraKind camera;      /* at the start */
  const gchar *clip, *device; /* NULL: there is none */
} LiveOptions;

typedef struct _Live Live;

/* Plays and serves at once. @options must stay. Errors: those of live_stream_new() and
 * live_page_server_new(). */
Live *live_new (const LiveOptions *options, GError **error);
void live_free (Live *live);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Live, live_free)

/* Of the page: "http://127.0.0.1:PORT/". */
const gchar *live_get_uri (const Live *live);

G_END_DECLS
