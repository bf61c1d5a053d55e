/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What limits is found in real streams: an element, a network that is narrow or long, and the local
 * server. */
#include "diagnosis.h"
#include "proxy.h"
#include "relay.h"
#include "server.h"
#include "wait.h"
#include <string.h>

#define LOOK_INTERVAL 100 /* ms */
/* Looks in a row that must agree: what a stream goes through as it begins does not count. */
#define LOOKS 10

typedef struct {
  const gchar *name;
  guint delay; /* the model's, ms */

  guint throttle; /* ms */
  FalRelayOptions network;
  const gchar *downstream; /* elements before the sink, or NULL */
  LiveLimit limit;
  const gchar *word; /* of the sentence */
} Row;

#define MBIT 1000000

static const Row rows[] = {
  { "nothing", .delay = 1, .limit = LIVE_LIMIT_NOTHING, .word = "all come back" },
  { "throttle", .delay = 5, .throttle = 250, .limit = LIVE_LIMIT_THROTTLE, .word = "every 250 ms" },
  { "model", .delay = 200, .limit = LIVE_LIMIT_MODEL, .word = "needs 2" },
  { "model-behind-a-throttle", .delay = 400, .throttle = 100, .limit = LIVE_LIMIT_MODEL,
      .word = "needs 4" },
  { "model-far-away", .delay = 200, .network = { .round_trip_ms = 200 }, .limit = LIVE_LIMIT_MODEL,
      .word = "needs 2" },
  { "uplink", .delay = 1, .network = { .up_rate = MBIT }, .limit = LIVE_LIMIT_UPLINK,
      .word = "A request has " },
  { "downlink", .delay = 1, .network = { .down_rate = MBIT }, .limit = LIVE_LIMIT_DOWNLINK,
      .word = "without a pause" },
  { "sink", .delay = 1, .downstream = "identity sleep-time=200000 !", .limit = LIVE_LIMIT_SINK,
      .word = "it takes " },
};

typedef struct {
  const Row *row;
  FalServer *server;
  FalRelay *relay;
  FalProxy *proxy;
  LiveDiagnosis *diagnosis;
  GstElement *pipeline, *filter;
  gchar *sentence;
  guint agree; /* looks in a row */
} World;

static void
on_passed (gpointer user, gboolean up, gsize size)
{
  if (!up)
    live_diagnosis_note_received (user, g_get_monotonic_time ());
}

static void
play (World *world)
{
  g_autofree gchar *description = g_strdup_printf (
      "videotestsrc is-live=true ! video/x-raw,width=384,height=288,framerate=20/1 ! "
      "falrealtimefilter name=fal app=local/demo auth=none throttle-interval=%u "
      "base-uri=ws://127.0.0.1:%u proxy=%s ! %s fakesink",
      world->row->throttle, fal_relay_get_port (world->relay), fal_proxy_get_uri (world->proxy),
      world->row->downstream ? world->row->downstream : "");
  g_autoptr (GError) error = NULL;

  world->pipeline = gst_parse_launch (description, &error);
  g_assert_no_error (error);
  world->filter = gst_bin_get_by_name (GST_BIN (world->pipeline), "fal");
  gst_element_set_state (world->pipeline, GST_STATE_PLAYING);
}

static void
start (World *world)
{
  const FalServerOptions server = {
    .delay_ms = world->row->delay, .timings = TRUE, .effect = "invert", .forget_requests = TRUE
  };
  FalRelayOptions network = world->row->network;

  world->server = fal_server_new (&server, NULL);
  network.target = strstr (fal_server_get_uri (world->server), "//") + strlen ("//");
  world->relay = fal_relay_new (&network);
  world->diagnosis = live_diagnosis_new ();
  world->proxy =
      fal_proxy_new (&(FalProxyOptions){ .tap = on_passed, .user_data = world->diagnosis });
  play (world);
}

static void
stop (World *world)
{
  gst_element_set_state (world->pipeline, GST_STATE_NULL);
  gst_object_unref (world->filter);
  gst_object_unref (world->pipeline);
  fal_proxy_free (world->proxy);
  live_diagnosis_free (world->diagnosis);
  fal_relay_free (world->relay);
  fal_server_free (world->server);
  g_free (world->sentence);
}

static gboolean
look (gpointer user)
{
  World *world = user;
  g_autoptr (GstStructure) stats = NULL;
  LiveSituation situation = {
    .throttle = world->row->throttle, .enabled = TRUE, .network = TRUE, .connection = "connected"
  };
  LiveLimit limit;

  g_object_get (world->filter, "stats", &stats, NULL);
  situation.now = stats;
  g_clear_pointer (&world->sentence, g_free);
  limit =
      live_diagnosis_look (world->diagnosis, &situation, g_get_monotonic_time (), &world->sentence);
  g_test_message ("%s", world->sentence);
  if (limit == world->row->limit && strstr (world->sentence, world->row->word) != NULL)
    world->agree++;
  else
    world->agree = 0;
  return G_SOURCE_CONTINUE;
}

static void
test_row (gconstpointer data)
{
  World world = { .row = data };
  guint timer;

  start (&world);
  timer = g_timeout_add (LOOK_INTERVAL, look, &world);
  FAL_WAIT_UNTIL (world.agree >= LOOKS);
  g_source_remove (timer);
  stop (&world);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree gchar *path = g_strconcat ("/diagnosis/", rows[i].name, NULL);

    g_test_add_data_func (path, &rows[i], test_row);
  }
  return g_test_run ();
}
