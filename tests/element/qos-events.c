/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Quality of service: what downstream says of its time is obeyed, and upstream hears what need
 * not be made. */
#include "pipeline-fixture.h"
#include "output-log.h"

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
  push_lateness (f);
  /* Nobody knows of which frame. */
  gst_harness_push_upstream_event (
      f->harness, gst_event_new_qos (GST_QOS_TYPE_UNDERFLOW, 1, TIME (1), GST_CLOCK_TIME_NONE));
  fixture_push_and_pull (f, 3);
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

/* The next event of @type that went upstream, or NULL. */
static GstEvent *
pull_upstream (Fixture *f, GstEventType type)
{
  GstEvent *event;

  while ((event = gst_harness_try_pull_upstream_event (f->harness)) != NULL) {
    if (GST_EVENT_TYPE (event) == type)
      return event;
    gst_event_unref (event);
  }
  return NULL;
}

static GstEvent *
pull_qos (Fixture *f)
{
  return pull_upstream (f, GST_EVENT_QOS);
}

/* Upstream may feed others, too: what downstream finds late is answered here where frames drop. */
static void
test_lateness_reaches_upstream_only_where_no_frame_drops (void)
{
  static const struct {
    gboolean live;
    const gchar *properties;
    gboolean passes;
  } rows[] = {
    { TRUE, "latency=100", FALSE },
    { TRUE, "", FALSE },
    { TRUE, "throttle-upstream=true", FALSE },
    { TRUE, "leaky=no", TRUE },
    { TRUE, "enabled=false", TRUE },
    { FALSE, "", TRUE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (Fixture) f = rows[i].live ? fixture_new_live (NULL, rows[i].properties)
                                         : fixture_new (NULL, rows[i].properties);
    g_autoptr (GstEvent) event = NULL;

    g_test_message ("%s", rows[i].properties);
    fixture_set_size (f, 32, 32);
    fixture_push_and_pull (f, 0);
    push_lateness (f);
    event = pull_qos (f);
    g_assert_cmpint (event != NULL, ==, rows[i].passes);
  }
}

/* What results are says nothing of what frames may be. */
static void
test_what_downstream_takes_now_is_no_matter_of_upstream (void)
{
  for (guint enabled = 0; enabled < 2; enabled++) {
    g_autoptr (Fixture) f = fixture_new_live (NULL, enabled ? NULL : "enabled=false");
    GstEvent *linked = pull_upstream (f, GST_EVENT_RECONFIGURE); /* of the link to upstream */

    fixture_set_size (f, 32, 32);
    fixture_push_and_pull (f, 0);
    gst_clear_event (&linked);
    g_assert_true (gst_harness_push_upstream_event (f->harness, gst_event_new_reconfigure ()));
    g_assert_null (pull_upstream (f, GST_EVENT_RECONFIGURE));
    fixture_push_and_pull (f, 1);
  }
}

static void
test_upstream_hears_how_long_no_frame_is_needed (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, "throttle-interval=200 throttle-upstream=true");

  fixture_set_size (f, 32, 32);
  for (guint n = 10; n < 13; n++) {
    g_autoptr (GstEvent) event = NULL;
    GstClockTimeDiff diff;
    GstClockTime time;
    GstQOSType type;

    fixture_push_and_pull (f, n);
    event = pull_qos (f);
    g_assert_nonnull (event);
    gst_event_parse_qos (event, &type, NULL, &diff, &time);
    g_assert_cmpint (type, ==, GST_QOS_TYPE_THROTTLE);
    g_assert_cmpuint (time, ==, TIME (n));
    g_assert_cmpint (diff, ==, (200 * GST_MSECOND - 2 * (GST_SECOND / 30)) / 2);
    g_assert_null (pull_qos (f));
  }
}

/* It takes effect with the next frame. */
static void
test_upstream_hears_it_only_where_it_is_asked_for (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, "throttle-interval=200");

  fixture_set_size (f, 32, 32);
  fixture_push_and_pull (f, 0);
  g_assert_null (pull_qos (f));
  for (guint n = 1; n < 5; n++) {
    g_autoptr (GstEvent) event = NULL;

    g_object_set (f->element, "throttle-upstream", n % 2, NULL);
    fixture_push_and_pull (f, n);
    event = pull_qos (f);
    g_assert_cmpint (event != NULL, ==, n % 2);
  }
}

static void
test_upstream_hears_nothing_where_all_frames_are_needed (void)
{
  static const struct {
    gboolean live;
    const gchar *properties;
  } rows[] = {
    { TRUE, "throttle-upstream=true throttle-interval=0" },
    { TRUE, "throttle-upstream=true throttle-interval=60" },
    { TRUE, "throttle-upstream=true throttle-interval=200 leaky=no" },
    { FALSE, "throttle-upstream=true throttle-interval=200" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (Fixture) f = rows[i].live ? fixture_new_live (NULL, rows[i].properties)
                                         : fixture_new (NULL, rows[i].properties);

    fixture_set_size (f, 32, 32);
    fixture_push_and_pull (f, 0);
    g_assert_null (pull_qos (f));
  }
}

/* ---- an upstream that obeys ---- */

#define INTERVAL (200 * GST_MSECOND)
#define FRAMES 180
#define DURATION (GST_SECOND / 60)

typedef struct {
  const gchar *name, *element; /* the element that obeys is called "obedient" */
  guint reach;                 /* it leaves out frames for so many times what it is told */
} Upstream;

static const Upstream upstreams[] = {
  { "a-decoder", "jpegenc ! jpegdec name=obedient", 2 },
  { "a-transform", "videoconvert qos=true name=obedient ! video/x-raw,format=RGB", 1 },
};

/* In the order in which it happened. */
typedef struct {
  GstClockTime time;  /* running time of a frame that came, or of the one that was sent */
  GstClockTime until; /* upstream knows that none before this one is needed; 0: a frame came */
} Record;

typedef struct {
  const Upstream *upstream;
  GMutex lock;
  GArray *records; /* lock */
} Records;

static void
add_record (Records *records, GstClockTime time, GstClockTime until)
{
  const Record record = { time, until };

  g_mutex_lock (&records->lock);
  g_array_append_val (records->records, record);
  g_mutex_unlock (&records->lock);
}

static GstPadProbeReturn
note_frame (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  add_record (data, GST_BUFFER_PTS (GST_PAD_PROBE_INFO_BUFFER (info)), 0);
  return GST_PAD_PROBE_OK;
}

/* Behind the element that obeys: it has heard of it when this is called. */
static GstPadProbeReturn
note_throttle (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  GstEvent *event = GST_PAD_PROBE_INFO_EVENT (info);
  Records *records = data;
  GstQOSType type;
  GstClockTimeDiff diff;
  GstClockTime time;

  if (GST_EVENT_TYPE (event) != GST_EVENT_QOS)
    return GST_PAD_PROBE_OK;
  gst_event_parse_qos (event, &type, NULL, &diff, &time);
  if (type == GST_QOS_TYPE_THROTTLE)
    add_record (records, time, time + records->upstream->reach * diff);
  return GST_PAD_PROBE_OK;
}

/* What upstream had been told it need not make does not come, but for the one that it was just
 * making. However late a busy machine lets it hear: what came before that is not counted. */
static void
check_that_little_is_made_in_vain (const GArray *records)
{
  guint told = 0, in_vain = 0;
  GstClockTime until = 0;

  for (guint i = 0; i < records->len; i++) {
    const Record *record = &g_array_index (records, Record, i);

    if (record->until > 0) {
      told++;
      until = record->until;
    } else if (record->time < until) {
      in_vain++;
    }
  }
  g_test_message ("upstream was told %u times, and made %u frames in vain", told, in_vain);
  g_assert_cmpuint (told, >, 1);
  g_assert_cmpuint (in_vain, <=, told);
}

static GstPadProbeReturn
note_distance (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  GArray *times = data;
  gint64 time = GST_BUFFER_PTS (GST_PAD_PROBE_INFO_BUFFER (info));

  g_array_append_val (times, time);
  return GST_PAD_PROBE_OK;
}

/* Half of the frames that are sent lie no further apart. */
static gint64
get_middle_distance (GArray *times)
{
  gint64 *values = (gint64 *) times->data;

  g_assert_cmpuint (times->len, >, 1);
  for (guint i = 1; i < times->len; i++)
    values[i - 1] = values[i] - values[i - 1];
  sort_times (values, times->len - 1);
  return values[(times->len - 1) / 2];
}

static void
add_pad_probe (
    Pipeline *p, const gchar *name, GstPadProbeType type, GstPadProbeCallback probe, gpointer data)
{
  g_autoptr (GstPad) pad = gst_element_get_static_pad (pipeline_find (p, name), "sink");

  gst_pad_add_probe (pad, type, probe, data, NULL);
}

static void
test_upstream_that_obeys_still_feeds_the_throttle (gconstpointer data)
{
  const Upstream *upstream = data;
  g_autofree gchar *before =
      g_strdup_printf ("videotestsrc is-live=true num-buffers=%d ! "
                       "video/x-raw,format=I420,width=64,height=64,framerate=60/1 ! %s",
          FRAMES, upstream->element);
  g_autoptr (Pipeline) p = pipeline_new (NULL, before,
      "throttle-interval=200 throttle-upstream=true timestamp-mode=input", "fakesink");
  Records records = { upstream, .records = g_array_new (FALSE, FALSE, sizeof (Record)) };
  g_autoptr (GArray) times = g_array_new (FALSE, FALSE, sizeof (gint64));
  gint64 middle;

  add_pad_probe (p, "fal", GST_PAD_PROBE_TYPE_BUFFER, note_frame, &records);
  add_pad_probe (p, "obedient", GST_PAD_PROBE_TYPE_EVENT_UPSTREAM, note_throttle, &records);
  pipeline_add_probe (p, "fal", note_distance, times);
  pipeline_play (p);
  check_that_little_is_made_in_vain (records.records);
  middle = get_middle_distance (times);
  g_test_message ("%u frames came, every %d ms one is sent", (guint) pipeline_stat (p, "frames-in"),
      (gint) (middle / GST_MSECOND));
  g_assert_cmpuint (pipeline_stat (p, "frames-in"), <, FRAMES);
  g_assert_cmpint (middle, >=, INTERVAL - DURATION);
  g_assert_cmpint (middle, <=, INTERVAL + 2 * DURATION);
  gst_element_set_state (p->pipeline, GST_STATE_NULL);
  g_array_unref (records.records);
}

/* ---- an upstream that feeds others, too ---- */

#define NEIGHBOURS                                                                                 \
  "videotestsrc is-live=true num-buffers=90 ! "                                                    \
  "video/x-raw,format=I420,width=64,height=64,framerate=30/1 ! jpegenc ! jpegdec name=obedient ! " \
  "tee name=t t. ! queue ! fakesink name=plain sync=true t. ! queue "

#define LATE_SINK "queue ! fakesink sync=true qos=true max-lateness=1 ts-offset=-100000000"

static GstPadProbeReturn
count_frame (GstPad *pad, GstPadProbeInfo *info, gpointer n)
{
  g_atomic_int_inc ((gint *) n);
  return GST_PAD_PROBE_OK;
}

/* For two elements on one tee, each before a sink that finds every result late. */
static void
test_the_other_branch_of_a_tee_gets_every_frame (void)
{
  static const gchar after[] = LATE_SINK " t. ! queue ! falrealtimefilter name=second "
                                         "app=local/app throttle-interval=0 ! " LATE_SINK;
  FalServerOptions options = { .delay_ms = 20 };
  g_autoptr (Pipeline) p = pipeline_new (&options, NEIGHBOURS, "throttle-interval=500", after);
  gint frames = 0;

  g_object_set (pipeline_find (p, "second"), "base-uri", fal_server_get_uri (p->server), NULL);
  add_pad_probe (p, "plain", GST_PAD_PROBE_TYPE_BUFFER, count_frame, &frames);
  gst_element_set_state (p->pipeline, GST_STATE_PLAYING);
  WAIT_UNTIL (p->filter, pipeline_stat (p, "frames-out") >= 4);
  WAIT_UNTIL (p->filter, g_atomic_int_get (&frames) == 90);
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
  ADD (lateness_reaches_upstream_only_where_no_frame_drops);
  ADD (what_downstream_takes_now_is_no_matter_of_upstream);
  ADD (upstream_hears_how_long_no_frame_is_needed);
  ADD (upstream_hears_it_only_where_it_is_asked_for);
  ADD (upstream_hears_nothing_where_all_frames_are_needed);
  ADD (the_other_branch_of_a_tee_gets_every_frame);
  for (guint i = 0; i < G_N_ELEMENTS (upstreams); i++) {
    g_autofree gchar *path =
        g_strdup_printf ("/qos-events/upstream-that-obeys/%s", upstreams[i].name);

    g_test_add_data_func (path, &upstreams[i], test_upstream_that_obeys_still_feeds_the_throttle);
  }
  return fixture_run ();
}
