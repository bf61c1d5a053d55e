/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What belongs together: the camera, the stream, the network between it and the model, and the
 * pages that look on. */
#include "live.h"
#include "diagnosis.h"
#include "message-limit.h"
#include "launch-line.h"
#include "page-server.h"
#include "picture-maker.h"
#include "proxy.h"
#include "sample.h"
#include "stream.h"
#include "tab.h"
#include "fal/wire/value-json.h"
#include <string.h>

#define SAMPLE_INTERVAL 200 /* ms, between two looks at the statistics */
#define MAX_TABS 8
#define MAX_NOTICES 10                       /* kept for pages that come later */
#define MAX_CAMERA_PICTURE (2 * 1024 * 1024) /* bytes */
#define CAMERA_SILENCE 2000                  /* ms, after which a browser's camera is given up */
/* Of the close codes that are for applications. */
#define CLOSE_TOO_MANY 4000

struct _Live {
  const LiveOptions *options;
  FalProxy *proxy;
  gchar *proxy_uri; /* with a password, so that it is nobody else's */
  gboolean network;
  gboolean outage_told; /* why the app cannot be reached, since it last was */
  GMutex mutex;         /* protects the next one */
  gchar *unreachable;   /* why it cannot be; NULL: it can, or was told */
  LivePageServer *server;
  LiveStream *stream;
  LiveCamera *camera;
  LivePictureMaker *makers[LIVE_N_PICTURES];
  GPtrArray *tabs;                  /* LiveTab */
  gint watched;                     /* atomic: there are tabs */
  SoupWebsocketConnection *browser; /* whose pictures are the camera's; NULL: none */
  gint64 last_picture;              /* of the browser, monotonic µs */
  gboolean hidden;                  /* its page is: no picture comes until it is seen again */
  gchar *state;                     /* what the pages were told last */
  GQueue notices;                   /* the last ones, as the pages were told them */
  LiveDiagnosis *diagnosis;
  gint64 started; /* monotonic µs */
  guint timer;
};

/* ---- to the pages ---- */

static void
send_all (Live *live, const gchar *json)
{
  for (guint i = 0; i < live->tabs->len; i++)
    live_tab_send (live->tabs->pdata[i], json);
}

/* Takes @map. */
static gchar *
to_json (GstStructure *map)
{
  gchar *json = fal_value_to_json (map, NULL);

  gst_structure_free (map);
  return json;
}

static void
tell_notice (gpointer user, const gchar *level, const gchar *text)
{
  Live *live = user;
  gchar *json = to_json (gst_structure_new ("map", "type", G_TYPE_STRING, "notice", "level",
      G_TYPE_STRING, level, "text", G_TYPE_STRING, text, NULL));

  g_message ("%s: %s", level, text);
  send_all (live, json);
  g_queue_push_tail (&live->notices, json);
  if (live->notices.length > MAX_NOTICES)
    g_free (g_queue_pop_head (&live->notices));
}

static void
add_text (GValue *array, const gchar *text)
{
  GValue value = G_VALUE_INIT;

  g_value_init (&value, G_TYPE_STRING);
  g_value_set_string (&value, text);
  gst_value_array_append_and_take_value (array, &value);
}

static void
add_cameras (const Live *live, GstStructure *to)
{
  GValue array = G_VALUE_INIT;

  g_value_init (&array, GST_TYPE_ARRAY);
  add_text (&array, "clip");
  add_text (&array, "browser");
  if (live->options->device != NULL)
    add_text (&array, "device");
  gst_structure_take_value (to, "cameras", &array);
}

static gchar *
make_launch_line (const Live *live, const GstStructure *settings)
{
  const LiveOptions *options = live->options;
  const LiveLaunch launch = { .camera = live_camera_get_kind (live->camera),
    .clip = options->clip,
    .device = options->device,
    .app = options->app,
    .base_uri = options->base_uri,
    .path = options->path,
    .token_proxy_uri = options->token_proxy_uri,
    .auth = options->auth,
    .token = options->token != NULL,
    .width = options->width,
    .height = options->height,
    .throttle = live_stream_get_throttle (live->stream),
    .settings = settings };

  return live_launch_line (&launch);
}

/* Whether the app is served on this machine, and not by fal.ai. */
static gboolean
is_local (const Live *live)
{
  const gchar *text = live->options->base_uri;
  g_autoptr (GUri) uri = text ? g_uri_parse (text, G_URI_FLAGS_PARSE_RELAXED, NULL) : NULL;
  g_autoptr (GInetAddress) address = NULL;

  if (uri == NULL || g_uri_get_host (uri) == NULL)
    return FALSE;
  address = g_inet_address_new_from_string (g_uri_get_host (uri));
  return g_str_equal (g_uri_get_host (uri), "localhost") ||
         (address != NULL && g_inet_address_get_is_loopback (address));
}

static gchar *
make_state (Live *live)
{
  g_autoptr (GstStructure) settings = live_stream_get_settings (live->stream);
  g_autofree gchar *line = make_launch_line (live, settings);
  GstStructure *state = gst_structure_new ("map", "type", G_TYPE_STRING, "state", "app",
      G_TYPE_STRING, live->options->app, "local", G_TYPE_BOOLEAN, is_local (live), "connection",
      G_TYPE_STRING, live_stream_get_connection (live->stream), "camera", G_TYPE_STRING,
      live_camera_kind_get_name (live_camera_get_kind (live->camera)), "network", G_TYPE_BOOLEAN,
      live->network, "settings", GST_TYPE_STRUCTURE, settings, "launch", G_TYPE_STRING, line, NULL);

  add_cameras (live, state);
  return to_json (state);
}

/* Where anything of it changed. */
static void
tell_state (gpointer user)
{
  Live *live = user;
  g_autofree gchar *state = NULL;

  if (live->camera == NULL) /* it is only being made */
    return;
  if (g_str_equal (live_stream_get_connection (live->stream), "connected"))
    live->outage_told = FALSE;
  state = make_state (live);
  if (g_strcmp0 (state, live->state) == 0)
    return;
  g_free (live->state);
  live->state = g_steal_pointer (&state);
  send_all (live, live->state);
}

static void
show (Live *live, LivePicture picture, GBytes *jpeg)
{
  for (guint i = 0; i < live->tabs->len; i++)
    live_tab_show (live->tabs->pdata[i], picture, jpeg);
}

static void
show_input (gpointer user, GBytes *jpeg)
{
  show (user, LIVE_PICTURE_INPUT, jpeg);
}

static void
show_result (gpointer user, GBytes *jpeg)
{
  show (user, LIVE_PICTURE_RESULT, jpeg);
}

/* ---- figures ---- */

static gchar *
make_sample (Live *live, gint64 now)
{
  g_autoptr (GstStructure) stats = live_stream_get_stats (live->stream);
  g_autoptr (GstStructure) settings = live_stream_get_settings (live->stream);
  g_autofree gchar *sentence = NULL;
  gint64 throttle = 0;
  LiveSituation situation = {
    .now = stats, .network = live->network, .connection = live_stream_get_connection (live->stream)
  };
  LiveLimit limit;

  gst_structure_get_int64 (settings, "throttle-interval", &throttle);
  gst_structure_get_boolean (settings, "enabled", &situation.enabled);
  situation.throttle = throttle;
  limit = live_diagnosis_look (live->diagnosis, &situation, now, &sentence);
  return to_json (live_sample_new (stats, now - live->started, limit, sentence));
}

/* ---- the camera ---- */

static void
on_frame (gpointer user, GstSample *frame)
{
  Live *live = user;

  live_picture_maker_offer (live->makers[LIVE_PICTURE_INPUT], frame);
  if (g_atomic_int_get (&live->watched)) /* nobody pays for what nobody sees */
    live_stream_push (live->stream, frame);
}

static void
on_result (gpointer user, GstSample *result)
{
  Live *live = user;

  live_picture_maker_offer (live->makers[LIVE_PICTURE_RESULT], result);
}

static gboolean change_camera (Live *live, LiveCameraKind kind, GError **error);

/* What played before plays, or can be had, in any case. */
static void
play_clip (Live *live)
{
  g_autoptr (GError) error = NULL;

  if (!change_camera (live, LIVE_CAMERA_CLIP, &error))
    tell_notice (live, "error", error->message);
}

static void
on_camera_error (gpointer user, const gchar *text)
{
  Live *live = user;
  g_autofree gchar *notice = g_strdup_printf ("The camera: %s", text);

  tell_notice (live, "error", notice);
  if (live_camera_get_kind (live->camera) != LIVE_CAMERA_CLIP)
    play_clip (live);
}

/* FALSE: the camera is still the one it was. */
static gboolean
change_camera (Live *live, LiveCameraKind kind, GError **error)
{
  const LiveCameraConfig config = { .kind = kind,
    .clip = live->options->clip,
    .device = live->options->device,
    .on_frame = on_frame,
    .on_error = on_camera_error,
    .user = live };
  LiveCamera *camera = live_camera_new (&config, error);

  if (camera == NULL)
    return FALSE;
  g_clear_pointer (&live->camera, live_camera_free);
  live->camera = camera;
  live->last_picture = g_get_monotonic_time ();
  tell_state (live);
  return TRUE;
}

/* ---- a browser's camera ---- */

/* A page that nobody sees is no reason to pay for a model, nor to show it the clip. */
static void
note_hidden (Live *live)
{
  if (live->hidden)
    return;
  live->hidden = TRUE;
  tell_notice (live, "info",
      "The page with the webcam is hidden: its pictures stop until somebody looks at it again.");
}

/* Text says that the page is hidden. */
static void
on_browser_message (SoupWebsocketConnection *socket, gint type, GBytes *message, gpointer user)
{
  Live *live = user;

  if (type != SOUP_WEBSOCKET_DATA_BINARY) {
    note_hidden (live);
    return;
  }
  live->hidden = FALSE;
  if (live_camera_take (live->camera, message))
    live->last_picture = g_get_monotonic_time ();
  soup_websocket_connection_send_text (socket, "{\"type\":\"taken\"}");
}

static void
on_browser_closed (SoupWebsocketConnection *socket, gpointer user)
{
  Live *live = user;

  g_signal_handlers_disconnect_by_data (socket, live);
  g_clear_object (&live->browser);
  live->hidden = FALSE;
}

static void
add_browser (Live *live, SoupWebsocketConnection *socket)
{
  if (live->browser != NULL) {
    soup_websocket_connection_close (socket, CLOSE_TOO_MANY, "another page is the camera");
    return;
  }
  fal_message_limit_set (socket, MAX_CAMERA_PICTURE);
  live->browser = g_object_ref (socket);
  live->last_picture = g_get_monotonic_time ();
  g_signal_connect (socket, "message", G_CALLBACK (on_browser_message), live);
  g_signal_connect (socket, "closed", G_CALLBACK (on_browser_closed), live);
}

static void
watch_browser (Live *live, gint64 now)
{
  if (live_camera_get_kind (live->camera) != LIVE_CAMERA_BROWSER || live->hidden ||
      now - live->last_picture < CAMERA_SILENCE * G_TIME_SPAN_MILLISECOND)
    return;
  play_clip (live);
  tell_notice (
      live, "warning", "No picture came from the browser's camera for 2 s: the clip plays.");
}

/* ---- from the pages ---- */

static void
choose_camera (Live *live, const gchar *name)
{
  LiveCameraKind kind;
  g_autoptr (GError) error = NULL;

  if (!live_camera_kind_from_name (name, &kind) ||
      (kind == LIVE_CAMERA_DEVICE && live->options->device == NULL))
    tell_notice (live, "error", "There is no such camera.");
  else if (kind != live_camera_get_kind (live->camera) && !change_camera (live, kind, &error))
    tell_notice (live, "error", error->message);
}

static void
switch_network (Live *live, gboolean on)
{
  live->network = on;
  fal_proxy_set_mode (live->proxy, on ? FAL_PROXY_WORKS : FAL_PROXY_DIES_ON_ACCEPT, 0);
  if (!on)
    fal_proxy_cut (live->proxy);
  else if (live_stream_has_stopped (live->stream))
    live_stream_reconnect (live->stream);
}

static void
set (Live *live, const LiveOrder *order)
{
  g_autoptr (GError) error = NULL;

  if (!live_stream_set (live->stream, order->name, order->value, &error))
    tell_notice (live, "error", error->message);
  else if (live_stream_has_stopped (live->stream))
    live_stream_reconnect (live->stream);
}

static void
on_order (gpointer user, const LiveOrder *order)
{
  Live *live = user;

  switch (order->type) {
  case LIVE_ORDER_SET:
    set (live, order);
    break;
  case LIVE_ORDER_NETWORK:
    switch_network (live, order->on);
    break;
  case LIVE_ORDER_CAMERA:
    choose_camera (live, order->name);
    break;
  case LIVE_ORDER_RECONNECT:
    live_stream_reconnect (live->stream);
    break;
  case LIVE_ORDER_SHOWN: /* the tab's own */
    break;
  }
  tell_state (live);
}

static void
on_wanted (gpointer user, LivePicture picture)
{
  Live *live = user;

  live_picture_maker_ask (live->makers[picture]);
}

static void
on_tab_closed (gpointer user, LiveTab *tab)
{
  Live *live = user;

  g_ptr_array_remove (live->tabs, tab);
  g_atomic_int_set (&live->watched, live->tabs->len > 0);
}

static void
drop_stuck_tabs (Live *live)
{
  for (guint i = live->tabs->len; i > 0; i--)
    if (live_tab_is_stuck (live->tabs->pdata[i - 1])) {
      g_message ("closed the connection of a page that reads nothing");
      on_tab_closed (live, live->tabs->pdata[i - 1]);
    }
}

static void
add_tab (Live *live, SoupWebsocketConnection *socket)
{
  static const LiveTabEvents events = { on_order, on_wanted, on_tab_closed };
  LiveTab *tab;

  if (live->tabs->len >= MAX_TABS) {
    soup_websocket_connection_close (socket, CLOSE_TOO_MANY, "too many pages are open");
    return;
  }
  tab = live_tab_new (socket, &events, live);
  g_ptr_array_add (live->tabs, tab);
  g_atomic_int_set (&live->watched, TRUE);
  live_tab_send (tab, live->state);
  for (GList *link = live->notices.head; link != NULL; link = link->next)
    live_tab_send (tab, link->data);
  for (LivePicture picture = 0; picture < LIVE_N_PICTURES; picture++)
    live_picture_maker_ask (live->makers[picture]);
}

static void
on_socket (gpointer user, LiveSocketKind kind, SoupWebsocketConnection *socket)
{
  if (kind == LIVE_SOCKET_CAMERA)
    add_browser (user, socket);
  else
    add_tab (user, socket);
}

/* ---- the network ---- */

static void
on_passed (gpointer user, gboolean up, gsize size)
{
  Live *live = user;

  if (!up)
    live_diagnosis_note_received (live->diagnosis, g_get_monotonic_time ());
}

/* The element hears of its proxy only that it did not work; this is why. In the proxy's thread. */
static void
on_unreachable (gpointer user, const gchar *why)
{
  Live *live = user;

  g_mutex_lock (&live->mutex);
  g_free (live->unreachable);
  live->unreachable = g_strdup (why);
  g_mutex_unlock (&live->mutex);
}

/* Once for each outage, as it is tried again and again. */
static void
tell_unreachable (Live *live)
{
  g_autofree gchar *why = NULL, *text = NULL;

  g_mutex_lock (&live->mutex);
  why = g_steal_pointer (&live->unreachable);
  g_mutex_unlock (&live->mutex);
  if (why == NULL || live->outage_told)
    return;
  text = g_strdup_printf ("The way to the app: %s.", why);
  tell_notice (live, "warning", text);
  live->outage_told = TRUE;
}

/* All that the element does in the network goes by it, so that it can be cut. */
static FalProxy *
make_proxy (Live *live)
{
  g_autofree gchar *password = g_uuid_string_random ();
  const FalProxyOptions options = { .user = "live",
    .password = password,
    .anywhere = TRUE,
    .tap = on_passed,
    .on_unreachable = on_unreachable,
    .user_data = live };
  FalProxy *proxy = fal_proxy_new (&options);

  live->proxy_uri = g_strdup_printf (
      "http://live:%s@%s", password, fal_proxy_get_uri (proxy) + strlen ("http://"));
  return proxy;
}

/* ---- life ---- */

static gboolean
on_timer (gpointer user)
{
  Live *live = user;
  gint64 now = g_get_monotonic_time ();

  watch_browser (live, now);
  tell_unreachable (live);
  drop_stuck_tabs (live);
  if (live->tabs->len > 0) {
    g_autofree gchar *sample = make_sample (live, now);

    send_all (live, sample);
  }
  return G_SOURCE_CONTINUE;
}

static LiveStream *
make_stream (Live *live, GError **error)
{
  const LiveOptions *options = live->options;
  const LiveStreamConfig config = { .app = options->app,
    .base_uri = options->base_uri,
    .path = options->path,
    .token = options->token,
    .token_proxy_uri = options->token_proxy_uri,
    .auth = options->auth,
    .prompt = options->prompt,
    .width = options->width,
    .height = options->height,
    .throttle = options->throttle,
    .proxy = live->proxy_uri,
    .on_result = on_result,
    .on_notice = tell_notice,
    .on_connection = tell_state,
    .user = live };

  return live_stream_new (&config, error);
}

Live *
live_new (const LiveOptions *options, GError **error)
{
  g_autoptr (Live) live = g_new0 (Live, 1);

  live->options = options;
  g_mutex_init (&live->mutex);
  g_queue_init (&live->notices);
  live->network = TRUE;
  live->started = g_get_monotonic_time ();
  live->tabs = g_ptr_array_new_with_free_func ((GDestroyNotify) live_tab_free);
  live->diagnosis = live_diagnosis_new ();
  live->proxy = make_proxy (live);
  live->makers[LIVE_PICTURE_INPUT] = live_picture_maker_new (show_input, live, error);
  if (live->makers[LIVE_PICTURE_INPUT] != NULL)
    live->makers[LIVE_PICTURE_RESULT] = live_picture_maker_new (show_result, live, error);
  if (live->makers[LIVE_PICTURE_RESULT] != NULL)
    live->stream = make_stream (live, error);
  if (live->stream != NULL)
    live->server = live_page_server_new (options->port, on_socket, live, error);
  if (live->server == NULL || !change_camera (live, options->camera, error))
    return NULL;
  live->timer = g_timeout_add (SAMPLE_INTERVAL, on_timer, live);
  return g_steal_pointer (&live);
}

/* What gives goes before what takes. */
void
live_free (Live *live)
{
  g_clear_handle_id (&live->timer, g_source_remove);
  g_clear_pointer (&live->server, live_page_server_free);
  if (live->browser != NULL) {
    g_signal_handlers_disconnect_by_data (live->browser, live);
    g_object_unref (live->browser);
  }
  g_ptr_array_unref (live->tabs);
  g_clear_pointer (&live->camera, live_camera_free);
  g_clear_pointer (&live->stream, live_stream_free);
  for (LivePicture picture = 0; picture < LIVE_N_PICTURES; picture++)
    g_clear_pointer (&live->makers[picture], live_picture_maker_free);
  fal_proxy_free (live->proxy);
  live_diagnosis_free (live->diagnosis);
  g_queue_clear_full (&live->notices, g_free);
  g_free (live->unreachable);
  g_mutex_clear (&live->mutex);
  g_free (live->proxy_uri);
  g_free (live->state);
  g_free (live);
}

const gchar *
live_get_uri (const Live *live)
{
  return live_page_server_get_uri (live->server);
}
