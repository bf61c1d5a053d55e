/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The live application with the local server, seen by pages that the test plays. */
#include "live.h"
#include "fal/image/jpeg-markers.h"
#include "page-client.h"
#include "sample-picture.h"
#include "server.h"
#include "wait.h"
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>

typedef struct {
  FalServer *server;
  LiveOptions options;
  Live *live;
} World;

/* @options: its base-uri is the server's. */
static World *
world_new (const FalServerOptions *server, LiveOptions options)
{
  static const FalServerOptions plain = { 0 };
  World *world = g_new0 (World, 1);
  g_autoptr (GError) error = NULL;

  world->server = fal_server_new (server ? server : &plain, &error);
  g_assert_no_error (error);
  world->options = options;
  world->options.app = "local/demo";
  world->options.base_uri = fal_server_get_uri (world->server);
  if (options.auth == NULL)
    world->options.auth = "none";
  if (options.throttle == 0)
    world->options.throttle = -1;
  world->live = live_new (&world->options, &error);
  g_assert_no_error (error);
  return world;
}

static void
world_free (World *world)
{
  live_free (world->live);
  fal_server_free (world->server);
  g_free (world);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (World, world_free)

static PageClient *
open_page (World *world)
{
  return page_client_new (live_get_uri (world->live), "/live");
}

/* ---- what the program logs ---- */

static GString *log_text;
static GMutex log_mutex;

static GLogWriterOutput
keep_log (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer user)
{
  g_autofree gchar *line = g_log_writer_format_fields (level, fields, n_fields, FALSE);

  g_mutex_lock (&log_mutex);
  g_string_append_printf (log_text, "%s\n", line);
  g_mutex_unlock (&log_mutex);
  if (level & (G_LOG_FLAG_FATAL | G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL))
    return g_log_writer_default (level, fields, n_fields, user);
  return G_LOG_WRITER_HANDLED;
}

static gboolean
is_logged (const gchar *text)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&log_mutex);

  return strstr (log_text->str, text) != NULL;
}

/* ---- what a page is shown ---- */

static void
read_size (GBytes *jpeg, FalJpegMarkers *markers)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (jpeg, &size);

  *markers = (FalJpegMarkers){ 0 };
  g_assert_true (fal_jpeg_markers_read (data, size, markers));
  g_assert_true (markers->whole);
}

static void
test_both_pictures_move (void)
{
  g_autoptr (World) world = world_new (NULL, (LiveOptions){ 0 });
  g_autoptr (PageClient) page = open_page (world);

  for (LivePicture i = 0; i < LIVE_N_PICTURES; i++) {
    g_autoptr (GBytes) first = NULL;

    FAL_WAIT_UNTIL (page->pictures[i] > 0);
    first = g_bytes_ref (page->picture[i]);
    FAL_WAIT_UNTIL (!g_bytes_equal (first, page->picture[i]));
  }
  g_assert_false (
      g_bytes_equal (page->picture[LIVE_PICTURE_INPUT], page->picture[LIVE_PICTURE_RESULT]));
}

/* A page that sleeps gets no second picture, while another one gets many. */
static void
test_a_picture_waits_for_the_one_before (void)
{
  g_autoptr (World) world = world_new (NULL, (LiveOptions){ 0 });
  g_autoptr (PageClient) page = open_page (world), another = open_page (world);

  page->shows = FALSE;
  FAL_WAIT_UNTIL (page->pictures[0] > 0 && page->pictures[1] > 0);
  FAL_WAIT_UNTIL (another->pictures[0] > 5 && another->pictures[1] > 5);
  g_assert_cmpuint (page->pictures[0], ==, 1);
  g_assert_cmpuint (page->pictures[1], ==, 1);
  page_client_send (page, "{\"type\":\"shown\",\"kind\":1}");
  FAL_WAIT_UNTIL (page->pictures[1] == 2);
  g_assert_cmpuint (page->pictures[0], ==, 1);
}

static void
test_samples_have_figures (void)
{
  FalServerOptions options = { .timings = TRUE, .delay_ms = 10 };
  g_autoptr (World) world = world_new (&options, (LiveOptions){ 0 });
  g_autoptr (PageClient) page = open_page (world);
  static const gchar *const durations[] = { "age.last", "age.p50", "age.p95", "round-trip.last",
    "round-trip.p50", "round-trip.p95", "model" };
  gdouble time;

  FAL_WAIT_UNTIL (page_client_get_count (page, "counters.answered") > 5);
  for (guint i = 0; i < G_N_ELEMENTS (durations); i++) {
    const GValue *value = fal_value_get_path (page->sample, durations[i]);

    g_assert_true (G_VALUE_HOLDS_DOUBLE (value));
    g_assert_cmpfloat (g_value_get_double (value), >=, 1);
  }
  g_assert_cmpuint (page_client_get_count (page, "counters.sent"), >, 5);
  g_assert_cmpuint (page_client_get_count (page, "counters.dropped.throttled"), >, 0);
  g_assert_true (gst_structure_get_double (page->sample, "time", &time));
  FAL_WAIT_UNTIL (page->samples > 20);
  g_assert_true (G_VALUE_HOLDS_STRING (fal_value_get_path (page->sample, "limit.sentence")));
}

/* NULL: no sample has come yet. */
static const gchar *
get_limit (const PageClient *page)
{
  return page->sample ? g_value_get_string (fal_value_get_path (page->sample, "limit.by")) : NULL;
}

static void
test_the_throttle_is_found_and_can_be_turned (void)
{
  FalServerOptions options = { .timings = TRUE, .delay_ms = 5 };
  g_autoptr (World) world = world_new (&options, (LiveOptions){ .throttle = 400 });
  g_autoptr (PageClient) page = open_page (world);

  FAL_WAIT_UNTIL (g_strcmp0 (get_limit (page), "throttle") == 0);
  page_client_send (page, "{\"type\":\"set\",\"name\":\"throttle-interval\",\"value\":0}");
  FAL_WAIT_UNTIL (page_client_has_state (page, "settings.throttle-interval", "0"));
  FAL_WAIT_UNTIL (g_strcmp0 (get_limit (page), "throttle") != 0);
}

/* ---- what a page may do ---- */

typedef struct {
  const gchar *name, *value; /* as JSON */
  const gchar *field;        /* of the request; NULL: it is in none */
  const gchar *sent;         /* its value there as text */
} SettingRow;

static const SettingRow setting_rows[] = {
  { "prompt", "\"a fox, \\\"quoted\\\" 🦊\"", "prompt", "a fox, \"quoted\" 🦊" },
  { "strength", "0.25", "strength", "0.25" },
  { "strength", "1", "strength", "1" },
  { "seed", "9007199254740993", "seed", "9007199254740993" },
  { "fallback", "\"last\"", NULL, "last" },
  { "enabled", "false", NULL, "false" },
};

/* Of the requests that come from now on. */
static gboolean
pop_request (World *world, const gchar *field, const gchar *value)
{
  g_autoptr (GstStructure) request = fal_server_pop_request (world->server, 0);
  g_autofree gchar *text =
      request ? page_client_to_text (gst_structure_get_value (request, field)) : NULL;

  return request != NULL && g_strcmp0 (text, value) == 0;
}

static void
wait_for_request (World *world, const gchar *field, const gchar *value)
{
  FAL_WAIT_UNTIL (pop_request (world, field, value));
}

static void
test_setting (gconstpointer data)
{
  const SettingRow *row = data;
  g_autoptr (World) world = world_new (NULL, (LiveOptions){ .throttle = 20 });
  g_autoptr (PageClient) page = open_page (world);
  g_autofree gchar *order =
      g_strdup_printf ("{\"type\":\"set\",\"name\":\"%s\",\"value\":%s}", row->name, row->value);
  g_autofree gchar *unset =
      g_strdup_printf ("{\"type\":\"set\",\"name\":\"%s\",\"value\":null}", row->name);
  g_autofree gchar *path = g_strconcat ("settings.", row->name, NULL);

  FAL_WAIT_UNTIL (page->state != NULL);
  page_client_send (page, order);
  FAL_WAIT_UNTIL (page_client_has_state (page, path, row->sent));
  if (row->field != NULL)
    wait_for_request (world, row->field, row->sent);
  page_client_send (page, unset);
  if (row->field == NULL) {
    FAL_WAIT_UNTIL (strstr (page->notices->str, "always has a value") != NULL);
    return;
  }
  FAL_WAIT_UNTIL (page_client_has_state (page, path, NULL));
  wait_for_request (world, row->field, NULL);
}

static const gchar *const wrong_orders[] = { "", "{", "[]", "12", "{\"type\":\"bogus\"}",
  "{\"type\":\"set\"}", "{\"type\":\"set\",\"name\":\"prompt\"}", "{\"type\":\"shown\",\"kind\":2}",
  "{\"type\":\"shown\",\"kind\":-1}", "{\"type\":\"network\",\"on\":\"no\"}",
  "{\"type\":\"camera\",\"from\":3}", "{\"type\":{\"type\":\"set\"}}" };

/* These have the right form, and an answer. */
static const gchar *const refused_orders[] = { "\"api-key\",\"value\":\"x\"",
  "\"token\",\"value\":\"x\"", "\"base-uri\",\"value\":\"x\"", "\"prompt\",\"value\":1",
  "\"strength\",\"value\":1.5", "\"strength\",\"value\":\"0.5\"", "\"seed\",\"value\":true",
  "\"enabled\",\"value\":1", "\"fallback\",\"value\":\"nonsense\"",
  "\"throttle-interval\",\"value\":-1", "\"prompt\",\"value\":[\"x\"]",
  "\"prompt\",\"value\":{\"x\":1}", "\"throttle-interval\",\"value\":4294967296",
  "\"throttle-interval\",\"value\":-4294967295", "\"throttle-interval\",\"value\":0.5",
  "\"throttle-interval\",\"value\":1e20", "\"seed\",\"value\":1.5", "\"seed\",\"value\":1e30" };

static guint
count_lines (const gchar *text)
{
  guint n = 0;

  for (; *text != '\0'; text++)
    n += *text == '\n';
  return n;
}

static void
test_wrong_orders_change_nothing (void)
{
  g_autoptr (World) world = world_new (NULL, (LiveOptions){ .prompt = "a fox" });
  g_autoptr (PageClient) page = open_page (world);
  g_autofree gchar *before = NULL, *after = NULL;
  guint samples;

  FAL_WAIT_UNTIL (page_client_has_state (page, "connection", "connected"));
  before = gst_structure_to_string (page->state);
  for (guint i = 0; i < G_N_ELEMENTS (wrong_orders); i++)
    page_client_send (page, wrong_orders[i]);
  for (guint i = 0; i < G_N_ELEMENTS (refused_orders); i++) {
    g_autofree gchar *order = g_strdup_printf ("{\"type\":\"set\",\"name\":%s}", refused_orders[i]);

    page_client_send (page, order);
    FAL_WAIT_UNTIL (count_lines (page->notices->str) == i + 1);
  }
  samples = page->samples;
  FAL_WAIT_UNTIL (page->samples > samples);
  after = gst_structure_to_string (page->state);
  g_assert_cmpstr (before, ==, after);
  g_assert_cmpuint (count_lines (page->notices->str), ==, G_N_ELEMENTS (refused_orders));
}

/* ---- the network ---- */

static void
test_the_network_is_cut (void)
{
  g_autoptr (World) world = world_new (NULL, (LiveOptions){ 0 });
  g_autoptr (PageClient) page = open_page (world);
  guint requests, samples, connections;

  FAL_WAIT_UNTIL (page_client_get_count (page, "counters.answered") > 0);
  page_client_send (page, "{\"type\":\"network\",\"on\":false}");
  FAL_WAIT_UNTIL (page_client_has_state (page, "network", "false"));
  FAL_WAIT_UNTIL (fal_server_get_open (world->server) == 0);
  FAL_WAIT_UNTIL (strstr (page->notices->str, "warning: ") != NULL);
  requests = fal_server_get_requests (world->server);
  connections = fal_server_get_connections (world->server);
  /* It tries to connect, and comes to nothing. */
  FAL_WAIT_UNTIL (page_client_has_state (page, "connection", "connecting"));
  FAL_WAIT_UNTIL (page_client_has_state (page, "connection", "waiting"));
  samples = page->samples;
  FAL_WAIT_UNTIL (page->samples > samples + 1 && g_strcmp0 (get_limit (page), "offline") == 0);
  g_assert_cmpuint (fal_server_get_requests (world->server), ==, requests);
  g_assert_cmpuint (fal_server_get_connections (world->server), ==, connections);
  page_client_send (page, "{\"type\":\"network\",\"on\":true}");
  FAL_WAIT_UNTIL (page_client_has_state (page, "connection", "connected"));
  FAL_WAIT_UNTIL (fal_server_get_requests (world->server) > requests);
}

/* ---- errors ---- */

static void
test_an_error_is_told_and_it_goes_on (void)
{
  g_autoptr (World) world = world_new (NULL, (LiveOptions){ 0 });
  g_autoptr (PageClient) page = NULL, later = NULL;
  guint pictures;

  fal_server_set_refusal (world->server, 404);
  page = open_page (world);
  FAL_WAIT_UNTIL (page_client_has_state (page, "connection", "failed"));
  FAL_WAIT_UNTIL (strstr (page->notices->str, "error: ") != NULL);
  /* The camera still shows, and a page that comes later hears what was wrong. */
  pictures = page->pictures[LIVE_PICTURE_INPUT];
  FAL_WAIT_UNTIL (page->pictures[LIVE_PICTURE_INPUT] > pictures + 3);
  later = open_page (world);
  FAL_WAIT_UNTIL (strstr (later->notices->str, "error: ") != NULL);
  FAL_WAIT_UNTIL (page->sample != NULL && g_strcmp0 (get_limit (page), "offline") == 0);
  fal_server_set_refusal (world->server, 0);
  page_client_send (page, "{\"type\":\"reconnect\"}");
  FAL_WAIT_UNTIL (page_client_has_state (page, "connection", "connected"));
  FAL_WAIT_UNTIL (page->pictures[LIVE_PICTURE_RESULT] > 0);
}

/* A setting may be what was wrong: it tries again with the new one. */
static void
test_a_setting_starts_it_again (void)
{
  g_autoptr (World) world = world_new (NULL, (LiveOptions){ 0 });
  g_autoptr (PageClient) page = NULL;

  fal_server_set_refusal (world->server, 404);
  page = open_page (world);
  FAL_WAIT_UNTIL (page_client_has_state (page, "connection", "failed"));
  fal_server_set_refusal (world->server, 0);
  page_client_send (page, "{\"type\":\"set\",\"name\":\"prompt\",\"value\":\"a fox\"}");
  FAL_WAIT_UNTIL (page_client_has_state (page, "connection", "connected"));
  wait_for_request (world, "prompt", "a fox");
}

static void
test_where_the_app_is_served_is_told (void)
{
  static const struct {
    const gchar *base_uri, *local;
  } rows[] = { { "ws://127.0.0.1:1", "true" }, { "ws://localhost:1/base", "true" },
    { "ws://[::1]:1", "true" }, { NULL, "false" } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    /* fal.ai's would want a token, so nobody is asked. */
    const LiveOptions options = { .app = "owner/app",
      .base_uri = rows[i].base_uri,
      .auth = rows[i].base_uri ? "none" : "token",
      .throttle = -1 };
    g_autoptr (Live) live = live_new (&options, NULL);
    g_autoptr (PageClient) page = page_client_new (live_get_uri (live), "/live");

    FAL_WAIT_UNTIL (page->state != NULL);
    g_assert_true (page_client_has_state (page, "local", rows[i].local));
  }
}

/* The element knows only that its proxy did not get there. */
static void
test_why_nobody_is_reached_is_told_once (void)
{
  const LiveOptions options = {
    .app = "local/demo", .base_uri = "ws://127.0.0.1:1", .auth = "none", .throttle = -1
  };
  g_autoptr (Live) live = live_new (&options, NULL);
  g_autoptr (PageClient) page = page_client_new (live_get_uri (live), "/live");
  const gchar *why;

  FAL_WAIT_UNTIL (page_client_has_state (page, "connection", "failed"));
  FAL_WAIT_UNTIL (strstr (page->notices->str, "127.0.0.1: Connection refused") != NULL);
  why = strstr (page->notices->str, "Connection refused");
  g_assert_null (strstr (why + 1, "Connection refused"));
}

/* What a property does not take is told, and not left out. */
static void
test_wrong_options_are_refused (void)
{
  static const struct {
    LiveOptions options;
    const gchar *name;
  } wrong[] = { { { .width = 1 << 30, .throttle = -1 }, "width" },
    { { .height = 1 << 30, .throttle = -1 }, "height" },
    { { .auth = "nonsense", .throttle = -1 }, "auth" } };

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++) {
    LiveOptions options = wrong[i].options;
    g_autoptr (GError) error = NULL;

    options.app = "local/demo";
    g_assert_null (live_new (&options, &error));
    g_assert_nonnull (error);
    g_assert_nonnull (strstr (error->message, wrong[i].name));
  }
}

/* ---- cameras ---- */

/* As a browser does it: the next one when the last one was taken. */
static void
send_next (PageClient *camera, guint width, guint height)
{
  g_autoptr (GBytes) jpeg = fal_sample_picture_new (width, height, 128);

  if (camera->sent == camera->taken)
    page_client_send_picture (camera, jpeg);
}

/* Whether the page shows one of this size, where it is not larger than a page shows. */
static gboolean
shows (const PageClient *page, guint width, guint height)
{
  FalJpegMarkers markers = { 0 };
  guint shown = MIN (width, 640);

  if (page->picture[LIVE_PICTURE_INPUT] == NULL)
    return FALSE;
  read_size (page->picture[LIVE_PICTURE_INPUT], &markers);
  return markers.width == shown && markers.height == height * shown / width;
}

static void
show_to_camera (PageClient *camera, PageClient *page, guint width, guint height)
{
  FAL_WAIT_UNTIL ((send_next (camera, width, height), shows (page, width, height)));
}

static void
test_a_browser_is_the_camera (void)
{
  g_autoptr (World) world =
      world_new (NULL, (LiveOptions){ .camera = LIVE_CAMERA_BROWSER, .throttle = 20 });
  g_autoptr (PageClient) page = open_page (world);
  g_autoptr (PageClient) camera = page_client_new (live_get_uri (world->live), "/camera");
  guint results;

  FAL_WAIT_UNTIL (page_client_has_state (page, "camera", "browser"));
  show_to_camera (camera, page, 320, 240);
  FAL_WAIT_UNTIL (fal_server_get_requests (world->server) > 0);
  show_to_camera (camera, page, 240, 320);
  show_to_camera (camera, page, 1280, 720);
  results = page->pictures[LIVE_PICTURE_RESULT];
  FAL_WAIT_UNTIL ((send_next (camera, 321, 241), page->pictures[LIVE_PICTURE_RESULT] > results));
  g_assert_cmpstr (page->notices->str, ==, "");
}

/* What is no picture, or too large a one, is answered and not shown. */
static void
test_a_browser_sends_nonsense (void)
{
  g_autoptr (World) world = world_new (NULL, (LiveOptions){ .camera = LIVE_CAMERA_BROWSER });
  g_autoptr (PageClient) page = open_page (world);
  g_autoptr (PageClient) camera = page_client_new (live_get_uri (world->live), "/camera");
  g_autoptr (GBytes) large = fal_sample_picture_new (1281, 720, 0);
  g_autoptr (GBytes) whole = fal_sample_picture_new (64, 48, 0);
  g_autoptr (GBytes) half = g_bytes_new_from_bytes (whole, 0, g_bytes_get_size (whole) / 2);
  g_autoptr (GBytes) text = g_bytes_new_static ("no picture", 10);
  g_autoptr (GBytes) nothing = g_bytes_new_static ("", 0);
  GBytes *const pictures[] = { large, half, text, nothing };
  guint samples;

  page->shows = FALSE; /* so the first picture is all that comes */
  for (guint i = 0; i < G_N_ELEMENTS (pictures); i++) {
    page_client_send_picture (camera, pictures[i]);
    FAL_WAIT_UNTIL (camera->taken == i + 1);
  }
  show_to_camera (camera, page, 64, 48);
  samples = page->samples;
  FAL_WAIT_UNTIL (page->samples > samples + 1); /* the first may have been under way */
  g_assert_cmpuint (page_client_get_count (page, "counters.frames-in"), >, 0);
  g_assert_cmpuint (page_client_get_count (page, "counters.dropped.invalid"), ==, 0);
}

static void
test_a_silent_browser_gives_way_to_the_clip (void)
{
  g_autoptr (World) world = world_new (NULL, (LiveOptions){ .camera = LIVE_CAMERA_BROWSER });
  g_autoptr (PageClient) page = open_page (world);
  g_autoptr (PageClient) camera = page_client_new (live_get_uri (world->live), "/camera");

  show_to_camera (camera, page, 64, 48);
  FAL_WAIT_UNTIL (page_client_has_state (page, "camera", "clip"));
  FAL_WAIT_UNTIL (strstr (page->notices->str, "browser's camera") != NULL);
  page_client_send (page, "{\"type\":\"camera\",\"from\":\"browser\"}");
  FAL_WAIT_UNTIL (page_client_has_state (page, "camera", "browser"));
  show_to_camera (camera, page, 64, 48);
}

/* One whose page is hidden says so, and is waited for: nothing goes to the model meanwhile. As long
 * as that another program's browser that is silent gives way to the clip. */
static void
test_a_hidden_browser_is_waited_for (void)
{
  g_autoptr (World) other = world_new (NULL, (LiveOptions) { .camera = LIVE_CAMERA_BROWSER });
  g_autoptr (World) world = world_new (NULL, (LiveOptions) { .camera = LIVE_CAMERA_BROWSER });
  g_autoptr (PageClient) page = open_page (world);
  g_autoptr (PageClient) silent = open_page (other);
  g_autoptr (PageClient) camera = page_client_new (live_get_uri (world->live), "/camera");
  guint requests;

  show_to_camera (camera, page, 64, 48);
  page_client_send (camera, "{\"type\":\"hidden\"}");
  FAL_WAIT_UNTIL (strstr (page->notices->str, "is hidden") != NULL);
  requests = fal_server_get_requests (world->server);
  page_client_send (silent, "{\"type\":\"camera\",\"from\":\"clip\"}");
  FAL_WAIT_UNTIL (page_client_has_state (silent, "camera", "clip"));
  page_client_send (silent, "{\"type\":\"camera\",\"from\":\"browser\"}");
  FAL_WAIT_UNTIL (page_client_has_state (silent, "camera", "browser"));
  FAL_WAIT_UNTIL (page_client_has_state (silent, "camera", "clip"));
  g_assert_true (page_client_has_state (page, "camera", "browser"));
  g_assert_cmpuint (fal_server_get_requests (world->server), <=, requests + 2); /* under way */
  show_to_camera (camera, page, 48, 64);
  FAL_WAIT_UNTIL (page_client_has_state (page, "camera", "clip")); /* silent, and seen */
}

static void
test_there_is_one_camera (void)
{
  g_autoptr (World) world = world_new (NULL, (LiveOptions){ .camera = LIVE_CAMERA_BROWSER });
  g_autoptr (PageClient) page = open_page (world);
  g_autoptr (PageClient) camera = page_client_new (live_get_uri (world->live), "/camera");
  g_autoptr (PageClient) second = page_client_new (live_get_uri (world->live), "/camera");
  g_autoptr (PageClient) third = NULL;

  FAL_WAIT_UNTIL (second->closed);
  g_assert_cmpuint (second->code, ==, 4000);
  show_to_camera (camera, page, 64, 48);
  /* It is free again when the first one has gone. */
  soup_websocket_connection_close (camera->socket, SOUP_WEBSOCKET_CLOSE_NORMAL, NULL);
  FAL_WAIT_UNTIL (
      soup_websocket_connection_get_state (camera->socket) == SOUP_WEBSOCKET_STATE_CLOSED);
  third = page_client_new (live_get_uri (world->live), "/camera");
  show_to_camera (third, page, 96, 64);
}

static void
test_no_such_camera (void)
{
  g_autoptr (World) world = world_new (NULL, (LiveOptions){ 0 });
  g_autoptr (PageClient) page = open_page (world);

  page_client_send (page, "{\"type\":\"camera\",\"from\":\"device\"}");
  FAL_WAIT_UNTIL (strstr (page->notices->str, "no such camera") != NULL);
  g_assert_true (page_client_has_state (page, "camera", "clip"));
}

/* A clip of half a second, in a file of the test's own. */
static gchar *
make_clip (void)
{
  gchar *path = g_build_filename (g_get_tmp_dir (), "fal-live-clip-XXXXXX", NULL);
  gint fd = g_mkstemp (path);
  g_autofree gchar *description = g_strdup_printf (
      "videotestsrc num-buffers=15 ! video/x-raw,width=96,height=64,framerate=30/1 "
      "! jpegenc ! matroskamux ! filesink location=%s",
      path);
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) pipeline = gst_parse_launch (description, &error);
  g_autoptr (GstBus) bus = gst_element_get_bus (pipeline);
  g_autoptr (GstMessage) end = NULL;

  g_assert_no_error (error);
  g_close (fd, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  end = gst_bus_timed_pop_filtered (
      bus, FAL_WATCHDOG_SECONDS * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  g_assert_true (end != NULL && GST_MESSAGE_TYPE (end) == GST_MESSAGE_EOS);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  return path;
}

/* In time: a clip that is played too fast would be over and over at once. */
static void
test_a_clip_is_played_over_and_over (void)
{
  g_autofree gchar *clip = make_clip ();
  g_autoptr (World) world = world_new (NULL, (LiveOptions){ .clip = clip });
  g_autoptr (PageClient) page = open_page (world);
  gint64 begun;
  guint64 frames;

  FAL_WAIT_UNTIL (page_client_get_count (page, "counters.frames-in") > 0);
  begun = g_get_monotonic_time ();
  frames = page_client_get_count (page, "counters.frames-in");
  FAL_WAIT_UNTIL (page_client_get_count (page, "counters.frames-in") > frames + 60);
  /* 60 frames of 33 ms; a sample is up to 200 ms old. */
  g_assert_cmpint (g_get_monotonic_time () - begun, >=, 1500 * G_TIME_SPAN_MILLISECOND);
  g_assert_cmpstr (page->notices->str, ==, "");
  g_unlink (clip);
}

static void
test_a_clip_that_is_none_is_told (void)
{
  g_autofree gchar *clip = make_clip ();
  g_autoptr (World) world = NULL;
  g_autoptr (PageClient) page = NULL;

  g_assert_true (g_file_set_contents (clip, "no video", -1, NULL));
  world = world_new (NULL, (LiveOptions){ .clip = clip });
  page = open_page (world);
  FAL_WAIT_UNTIL (strstr (page->notices->str, "error: The camera: ") != NULL);
  page_client_send (page, "{\"type\":\"camera\",\"from\":\"browser\"}");
  FAL_WAIT_UNTIL (page_client_has_state (page, "camera", "browser"));
  g_unlink (clip);
}

/* ---- how many and how much ---- */

static void
test_pages_are_limited (void)
{
  g_autoptr (World) world = world_new (NULL, (LiveOptions){ 0 });
  g_autoptr (GPtrArray) pages = g_ptr_array_new_with_free_func ((GDestroyNotify) page_client_free);
  g_autoptr (PageClient) another = NULL;

  for (guint i = 0; i < 8; i++)
    g_ptr_array_add (pages, open_page (world));
  for (guint i = 0; i < 8; i++) {
    PageClient *page = pages->pdata[i];

    FAL_WAIT_UNTIL (page->pictures[0] > 2 && page->pictures[1] > 2 && page->samples > 0);
  }
  another = open_page (world);
  FAL_WAIT_UNTIL (another->closed);
  g_assert_cmpuint (another->code, ==, 4000);
}

/* A page's socket, from which nobody reads. */
static GSocket *
open_mute_page (World *world)
{
  g_autoptr (GUri) uri = g_uri_parse (live_get_uri (world->live), G_URI_FLAGS_NONE, NULL);
  g_autoptr (GSocketAddress) address =
      g_inet_socket_address_new_from_string ("127.0.0.1", g_uri_get_port (uri));
  GSocket *socket =
      g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL);
  g_autofree gchar *request =
      g_strdup_printf ("GET /live HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nOrigin: http://127.0.0.1:%d\r\n"
                       "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
          g_uri_get_port (uri), g_uri_get_port (uri));

  g_assert_true (g_socket_set_option (socket, SOL_SOCKET, SO_RCVBUF, 4096, NULL));
  g_assert_true (g_socket_connect (socket, address, NULL, NULL));
  g_assert_cmpint (
      g_socket_send (socket, request, strlen (request), NULL, NULL), ==, strlen (request));
  return socket;
}

/* A state of 120 KB, whenever the last one came. */
static void
set_long_prompt (PageClient *page, guint *n)
{
  g_autofree gchar *last = g_strnfill (60 * 1024, 'a' + *n % 26);
  g_autofree gchar *next = g_strnfill (60 * 1024, 'a' + (*n + 1) % 26);
  g_autofree gchar *order =
      g_strdup_printf ("{\"type\":\"set\",\"name\":\"prompt\",\"value\":\"%s\"}", next);

  if (*n > 0 && !page_client_has_state (page, "settings.prompt", last))
    return;
  page_client_send (page, order);
  ++*n;
}

static gboolean
is_at_its_end (GSocket *socket)
{
  gchar bytes[4096];
  gssize n;

  do
    n = g_socket_receive_with_blocking (socket, bytes, sizeof bytes, FALSE, NULL, NULL);
  while (n > 0);
  return n == 0;
}

/* What it does not take would stay here, more and more. */
static void
test_a_page_that_reads_nothing_is_closed (void)
{
  g_autoptr (World) world = world_new (NULL, (LiveOptions) { 0 });
  g_autoptr (PageClient) page = open_page (world);
  g_autoptr (GSocket) mute = open_mute_page (world);
  guint prompts = 0;

  FAL_WAIT_UNTIL ((set_long_prompt (page, &prompts), is_logged ("reads nothing")));
  FAL_WAIT_UNTIL (is_at_its_end (mute));
  g_assert_false (page->closed);
}

static void
test_a_large_order_closes_the_socket (void)
{
  g_autoptr (World) world = world_new (NULL, (LiveOptions){ 0 });
  g_autoptr (PageClient) page = open_page (world), another = open_page (world);
  g_autofree gchar *prompt = g_strnfill (65 * 1024, 'x');
  g_autofree gchar *order =
      g_strdup_printf ("{\"type\":\"set\",\"name\":\"prompt\",\"value\":\"%s\"}", prompt);

  page_client_send (page, order);
  FAL_WAIT_UNTIL (page->closed);
  FAL_WAIT_UNTIL (another->samples > 2 && another->pictures[0] > 2);
  g_assert_true (page_client_has_state (another, "settings.prompt", NULL));
}

static void
test_a_large_picture_closes_the_camera (void)
{
  g_autoptr (World) world = world_new (NULL, (LiveOptions){ .camera = LIVE_CAMERA_BROWSER });
  g_autoptr (PageClient) camera = page_client_new (live_get_uri (world->live), "/camera");
  gsize size = 2 * 1024 * 1024 + 1;
  g_autoptr (GBytes) large = g_bytes_new_take (g_malloc0 (size), size);

  page_client_send_picture (camera, large);
  FAL_WAIT_UNTIL (camera->closed);
  g_assert_cmpuint (camera->taken, ==, 0);
}

/* Where nobody looks nothing is sent, and nothing has to be paid. */
static void
test_nothing_is_sent_without_a_page (void)
{
  g_autoptr (World) world = world_new (NULL, (LiveOptions){ .camera = LIVE_CAMERA_BROWSER });
  g_autoptr (PageClient) camera = page_client_new (live_get_uri (world->live), "/camera");
  g_autoptr (PageClient) page = NULL;

  FAL_WAIT_UNTIL ((send_next (camera, 64, 48), camera->taken == 100));
  g_assert_cmpuint (fal_server_get_connections (world->server), ==, 0);
  page = open_page (world);
  FAL_WAIT_UNTIL (page->samples > 0);
  /* A few of the hundred may still have been on their way. */
  g_assert_cmpuint (page_client_get_count (page, "counters.frames-in"), <, 50);
  FAL_WAIT_UNTIL ((send_next (camera, 64, 48), fal_server_get_requests (world->server) > 0));
}

/* ---- secrets ---- */

#define WORD "PLANTED-0123456789"

static gboolean
has_secret (const gchar *text)
{
  return strstr (text, WORD) != NULL;
}

static void
test_no_secret_is_told (gconstpointer accepted)
{
  FalServerOptions options = { .token = accepted };
  g_autoptr (World) world = world_new (&options,
      (LiveOptions){
          .token = WORD, .auth = "token", .token_proxy_uri = "http://u:" WORD "@127.0.0.1:1/" });
  g_autoptr (PageClient) page = open_page (world);
  g_autofree gchar *launch = NULL;
  gboolean right = g_str_equal (accepted, WORD);

  FAL_WAIT_UNTIL (page_client_has_state (page, "connection", right ? "connected" : "failed"));
  FAL_WAIT_UNTIL (right || strstr (page->notices->str, "error: ") != NULL);
  FAL_WAIT_UNTIL (page->samples > 3);
  launch = page_client_dup_state (page, "launch");
  g_assert_nonnull (strstr (launch, "token=\"$FAL_TOKEN\""));
  g_assert_false (has_secret (page->texts->str));
  g_assert_false (is_logged (WORD));
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  log_text = g_string_new (NULL);
  g_log_set_writer_func (keep_log, NULL, NULL);
#define ADD(name) g_test_add_func ("/live/" #name, test_##name)
  ADD (both_pictures_move);
  ADD (a_picture_waits_for_the_one_before);
  ADD (samples_have_figures);
  ADD (the_throttle_is_found_and_can_be_turned);
  for (guint i = 0; i < G_N_ELEMENTS (setting_rows); i++) {
    g_autofree gchar *path = g_strdup_printf ("/live/setting/%s-%u", setting_rows[i].name, i);

    g_test_add_data_func (path, &setting_rows[i], test_setting);
  }
  ADD (wrong_orders_change_nothing);
  ADD (the_network_is_cut);
  ADD (an_error_is_told_and_it_goes_on);
  ADD (a_setting_starts_it_again);
  ADD (where_the_app_is_served_is_told);
  ADD (why_nobody_is_reached_is_told_once);
  ADD (wrong_options_are_refused);
  ADD (a_browser_is_the_camera);
  ADD (a_browser_sends_nonsense);
  ADD (a_silent_browser_gives_way_to_the_clip);
  ADD (a_hidden_browser_is_waited_for);
  ADD (there_is_one_camera);
  ADD (no_such_camera);
  ADD (a_clip_is_played_over_and_over);
  ADD (a_clip_that_is_none_is_told);
  ADD (pages_are_limited);
  ADD (a_page_that_reads_nothing_is_closed);
  ADD (a_large_order_closes_the_socket);
  ADD (a_large_picture_closes_the_camera);
  ADD (nothing_is_sent_without_a_page);
  g_test_add_data_func ("/live/no-secret-is-told/right", WORD, test_no_secret_is_told);
  g_test_add_data_func ("/live/no-secret-is-told/wrong", "another", test_no_secret_is_told);
  return g_test_run ();
}
