/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command that plays the same in a terminal. Pure. */
#pragma once

#include "camera.h"

G_BEGIN_DECLS

typedef struct {
  LiveCameraKind camera;
  const gchar *clip, *device;                                  /* NULL: there is none */
  const gchar *app, *base_uri, *path, *token_proxy_uri, *auth; /* NULL: not set */
  gboolean token;               /* one is set: FAL_TOKEN stands for it */
  gint width, height;           /* 0: not set */
  gint throttle;                /* ms; -1: not set */
  const GstStructure *settings; /* live_stream_get_settings() */
} LiveLaunch;

/* For a shell; free with g_free(). No secret is in it: a token is asked of the environment, where
 * the element itself looks for a key. A browser's camera becomes v4l2src, and a clip is played
 * once. */
gchar *live_launch_line (const LiveLaunch *launch);

G_END_DECLS
