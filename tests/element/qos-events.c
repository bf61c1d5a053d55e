/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Quality of service: what downstream says of its time is obeyed, and upstream hears what need
 * not be made. */
#include "pipeline-fixture.h"
#include "output-log.h"
#include <stdlib.h>

#define TIME(n) gst_util_uint64_scale (n, GST_SECOND, 30)

/* ---- what downstream says ---- */

/* The frame of 10/30 s came so much too late that only those of 30/30 s and later can be in time.
 */
static void
push_lateness (Fixture *f)
{
  g_assert_true (gst_harness_push_upstream_event (
      f->harness, gst_event_new_qos (GST_QOS_TYPE_UNDERFLOW, 1, TIME (20), TIME (10))));
}

static void
test_what_could_not_come_in_time_is_not_sent (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, "latency=100");
  g_autoptr (OutputLog) log = output_log_new (f->harness->sinkpad);

  fixture_set_size (f, 32, 32);
  fixture_push_and_pull (f, 0);
  push_lateness (f);
  fixture_push_frames (f, 1, 30);
  output_log_expect (log, "stream-start caps segment frame0! frame30!");
  g_assert_cmpuint (fal_server_get_requests (f->server), ==, 2);
  g_assert_cmpuint (fixture_stat (f, "dropped-replaced"), ==, 29);
}

/* One is too late, but all that there is. */
static void
test_the_last_frame_is_sent_all_the_same (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, "latency=100");
  g_autoptr (OutputLog) log = output_log_new (f->harness->sinkpad);

  fixture_set_size (f, 32, 32);
  fixture_push_and_pull (f, 0);
  push_lateness (f);
  fixture_push_frames (f, 1, 3);
  fixture_push_event (f, gst_event_new_eos ());
  output_log_expect (log, "stream-start caps segment frame0! frame3! eos");
}

static void
test_a_flush_and_better_news_forget_it (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, "latency=100");

  fixture_set_size (f, 32, 32);
  fixture_push_and_pull (f, 0);
  push_lateness (f);
  fixture_flush (f);
  fixture_push_and_pull (f, 1);
  push_lateness (f);
  gst_harness_push_upstream_event (f->harness,
      gst_event_new_qos (GST_QOS_TYPE_OVERFLOW, 1, -(GstClockTimeDiff) TIME (1), TIME (1)));
  fixture_push_and_pull (f, 2);
}

/* Those that a sink calls late are not the times of the frames; or none may drop. */
static void
test_elsewhere_it_means_nothing (void)
{
  for (guint way = 0; way < 3; way++) {
    g_autoptr (Fixture) f = way == 0   ? fixture_new_live (NULL, NULL)
                            : way == 1 ? fixture_new_live (NULL, "latency=100 leaky=no")
                                       : fixture_new (NULL, NULL);

    fixture_set_size (f, 32, 32);
    fixture_push_and_pull (f, 0);
    push_lateness (f);
    for (guint n = 1; n < 5; n++)
      fixture_push_and_pull (f, n);
  }
}

static void
test_a_throttle_further_down_is_no_lateness (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, "latency=100");

  fixture_set_size (f, 32, 32);
  fixture_push_and_pull (f, 0);
  gst_harness_push_upstream_event (
      f->harness, gst_event_new_qos (GST_QOS_TYPE_THROTTLE, 1, TIME (20), TIME (10)));
  fixture_push_and_pull (f, 1);
}

/* ---- what upstream hears ---- */

/* The next THROTTLE event that went upstream, or NULL. */
static GstEvent *
pull_throttle (Fixture *f)
{
  GstEvent *event;
  GstQOSType type;

  while ((event = gst_harness_try_pull_upstream_event (f->harness)) != NULL) {
    if (GST_EVENT_TYPE (event) == GST_EVENT_QOS) {
      gst_event_parse_qos (event, &type, NULL, NULL, NULL);
      if (type == GST_QOS_TYPE_THROTTLE)
        return event;
    }
    gst_event_unref (event);
  }
  return NULL;
}

static void
test_upstream_hears_how_long_no_frame_is_needed (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, "throttle-interval=200");

  fixture_set_size (f, 32, 32);
  for (guint n = 10; n < 13; n++) {
    g_autoptr (GstEvent) event = NULL;
    GstClockTimeDiff diff;
    GstClockTime time;

    fixture_push_and_pull (f, n);
    event = pull_throttle (f);
    g_assert_nonnull (event);
    gst_event_parse_qos (event, NULL, NULL, &diff, &time);
    g_assert_cmpuint (time, ==, TIME (n));
    g_assert_cmpint (diff, ==, (200 * GST_MSECOND - 2 * (GST_SECOND / 30)) / 2);
    g_assert_null (pull_throttle (f));
  }
}

static void
test_upstream_hears_nothing_where_all_frames_are_needed (void)
{
  static const struct {
    gboolean live;
    const gchar *properties;
  } rows[] = {
    { TRUE, "throttle-interval=0" },
    { TRUE, "throttle-interval=60" },
    { TRUE, "throttle-interval=200 leaky=no" },
    { FALSE, "throttle-interval=200" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (Fixture) f = rows[i].live ? fixture_new_live (NULL, rows[i].properties)
                                         : fixture_new (NULL, rows[i].properties);

    fixture_set_size (f, 32, 32);
    fixture_push_and_pull (f, 0);
    g_assert_null (pull_throttle (f));
  }
}

/* ---- an upstream that obeys ---- */

#define INTERVAL 200
#define FRAMES 180

typedef struct {
  GstClockTime last;
  gint64 distances[FRAMES]; /* ns */
  guint n;
} Distances;

static GstPadProbeReturn
note_distance (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Distances *distances = data;
  GstClockTime time = GST_BUFFER_PTS (GST_PAD_PROBE_INFO_BUFFER (info));

  if (GST_CLOCK_TIME_IS_VALID (distances->last))
    distances->distances[distances->n++] = time - distances->last;
  distances->last = time;
  return GST_PAD_PROBE_OK;
}

static gint
compare (gconstpointer a, gconstpointer b)
{
  const gint64 *x = a, *y = b;

  return (*x > *y) - (*x < *y);
}

/* It makes few of the frames that would be thrown away, but each that is sent: no later than two
 * frames after the throttle allows it. */
static void
test_upstream_that_obeys_still_feeds_the_throttle (void)
{
  static const gchar *const upstreams[] = {
    "video/x-raw,format=I420,width=64,height=64,framerate=60/1 ! jpegenc ! jpegdec",
    "video/x-raw,format=I420,width=64,height=64,framerate=60/1 ! videoconvert qos=true ! "
    "video/x-raw,format=RGB",
  };

  for (guint i = 0; i < G_N_ELEMENTS (upstreams); i++) {
    g_autofree gchar *before =
        g_strdup_printf ("videotestsrc is-live=true num-buffers=%d ! %s", FRAMES, upstreams[i]);
    g_autoptr (Pipeline) p =
        pipeline_new (NULL, before, "throttle-interval=200 timestamp-mode=input", "fakesink");
    Distances distances = { .last = GST_CLOCK_TIME_NONE };
    gint64 middle;

    pipeline_add_probe (p, "fal", note_distance, &distances);
    pipeline_play (p);
    qsort (distances.distances, distances.n, sizeof (gint64), compare);
    middle = distances.distances[distances.n / 2];
    g_test_message ("%u frames came, every %d ms one is sent",
        (guint) pipeline_stat (p, "frames-in"), (gint) (middle / GST_MSECOND));
    g_assert_cmpuint (pipeline_stat (p, "frames-in"), <, FRAMES * 2 / 3);
    g_assert_cmpint (middle, >=, INTERVAL * GST_MSECOND - GST_SECOND / 60);
    g_assert_cmpint (middle, <=, INTERVAL * GST_MSECOND + 2 * GST_SECOND / 60);
  }
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
#define ADD(name) g_test_add_func ("/qos-events/" #name, test_##name)
  ADD (what_could_not_come_in_time_is_not_sent);
  ADD (the_last_frame_is_sent_all_the_same);
  ADD (a_flush_and_better_news_forget_it);
  ADD (elsewhere_it_means_nothing);
  ADD (a_throttle_further_down_is_no_lateness);
  ADD (upstream_hears_how_long_no_frame_is_needed);
  ADD (upstream_hears_nothing_where_all_frames_are_needed);
  ADD (upstream_that_obeys_still_feeds_the_throttle);
  return fixture_run ();
}
