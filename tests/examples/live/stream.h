/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The stream: a pipeline with the element in it, frames in, results out. It goes on where the
 * element failed: it is stopped then, and starts again when it is told to. Main thread, but for
 * what says otherwise. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct {
  const gchar *app, *base_uri, *path, *token, *token_proxy_uri, *auth, *prompt; /* NULL: not set */
  guint width, height; /* 0: as frames come */
  gint throttle;       /* ms; -1: not set */
  const gchar *proxy;  /* all that the element does in the network goes by it */
  /* A result, in a thread of the pipeline. */
  void (*on_result) (gpointer user, GstSample *result);
  /* The bus has told something; @level: "error", "warning" or "info". */
  void (*on_notice) (gpointer user, const gchar *level, const gchar *text);
  /* live_stream_get_connection() has another answer. */
  void (*on_connection) (gpointer user);
  gpointer user;
} LiveStreamConfig;

typedef struct _LiveStream LiveStream;

/* Plays at once. Errors: GST_PARSE_ERROR, an element is not there; GST_LIBRARY_ERROR_SETTINGS, one
 * of
 * @config's values is none for the element. */
LiveStream *live_stream_new (const LiveStreamConfig *config, GError **error);
void live_stream_free (LiveStream *stream);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LiveStream, live_stream_free)

/* From any thread. The element gets the newest frame alone where it is not as fast. */
void live_stream_push (LiveStream *stream, GstSample *frame);

/* Sets one of the settings that a page may change. @value: a string, number or boolean as JSON has
 * them; a string that is NULL: the input is not sent any more. FALSE: there is no such setting, or
 * it does not take this; @error, GST_LIBRARY_ERROR_SETTINGS, says which. */
gboolean live_stream_set (
    LiveStream *stream, const gchar *name, const GValue *value, GError **error);
/* All of them, as "map": prompt, strength, seed, enabled, fallback, throttle-interval. What is not
 * sent is a string that is NULL. */
GstStructure *live_stream_get_settings (const LiveStream *stream);

/* throttle-interval as it was set, ms; -1: it was not, and is the app's own. */
gint live_stream_get_throttle (const LiveStream *stream);

/* "connected" and so on, as the element's connection-state; "failed" where it has stopped. */
const gchar *live_stream_get_connection (const LiveStream *stream);
GstStructure *live_stream_get_stats (const LiveStream *stream);

gboolean live_stream_has_stopped (const LiveStream *stream);
/* Connects anew; plays again where it has stopped. */
void live_stream_reconnect (LiveStream *stream);

G_END_DECLS
