/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whole pipelines, as people write them. */
#include "pipeline-fixture.h"

static void
test_a_file_comes_out_whole (void)
{
  g_autoptr (Pipeline) p = pipeline_new (NULL, "videotestsrc num-buffers=60", "throttle-interval=0",
      "videoconvert ! fakesink sync=false");

  pipeline_play (p);
  g_assert_cmpuint (pipeline_stat (p, "frames-out"), ==, 60);
  g_assert_cmpuint (fal_server_get_requests (p->server), ==, 60);
}

static void
test_the_default_throttle_drops_nothing_of_a_file (void)
{
  g_autoptr (Pipeline) p =
      pipeline_new (NULL, "videotestsrc num-buffers=5", "", "fakesink sync=false");

  pipeline_play (p);
  g_assert_cmpuint (pipeline_stat (p, "frames-out"), ==, 5);
}

static void
test_a_live_source_keeps_its_pace_and_old_frames_drop (void)
{
  FalServerOptions options = { .delay_ms = 40 };
  g_autoptr (Pipeline) p = pipeline_new (&options,
      "videotestsrc is-live=true num-buffers=60 ! video/x-raw,framerate=60/1", "", "fakesink");

  pipeline_play (p);
  g_assert_cmpuint (pipeline_stat (p, "frames-in"), ==, 60);
  g_assert_cmpuint (pipeline_stat (p, "dropped-throttled"), >, 0);
  g_assert_cmpuint (pipeline_stat (p, "frames-out"), >=, 2);
  g_assert_cmpuint (pipeline_stat (p, "frames-out"), ==, fal_server_get_requests (p->server));
}

static void
test_latency_is_reported_and_results_keep_their_time (void)
{
  FalServerOptions options = { .delay_ms = 20 };
  g_autoptr (Pipeline) p = pipeline_new (&options,
      "videotestsrc is-live=true num-buffers=30 ! video/x-raw,framerate=30/1",
      "throttle-interval=0 latency=700", "fakesink name=sink sync=true");
  g_autoptr (GstQuery) query = gst_query_new_latency ();
  gboolean live;
  GstClockTime least, most;

  pipeline_play (p);
  g_assert_true (gst_element_query (p->pipeline, query));
  gst_query_parse_latency (query, &live, &least, &most);
  g_assert_true (live);
  g_assert_cmpuint (least, >=, 700 * GST_MSECOND);
  g_assert_cmpuint (most, >=, least);
}

static void
test_downstream_may_want_the_picture_itself (void)
{
  g_autoptr (Pipeline) p = pipeline_new (NULL, "videotestsrc num-buffers=5 ! jpegenc",
      "throttle-interval=0", "image/jpeg ! jpegdec ! fakesink sync=false");

  pipeline_play (p);
  g_assert_cmpuint (pipeline_stat (p, "frames-out"), ==, 5);
}

static void
test_an_encoder_and_muxer_take_the_results (void)
{
  g_autoptr (Pipeline) p = pipeline_new (NULL, "videotestsrc num-buffers=20", "throttle-interval=0",
      "vp8enc deadline=1 ! webmmux ! fakesink sync=false");

  pipeline_play (p);
  g_assert_cmpuint (pipeline_stat (p, "frames-out"), ==, 20);
}

/* Downstream may end first: upstream hears of it, and the end still goes all the way. */
static void
test_downstream_may_end_first (void)
{
  static const gchar *const sources[] = {
    "videotestsrc num-buffers=20",
    "videotestsrc num-buffers=4",
    "videotestsrc is-live=true",
  };

  for (guint i = 0; i < G_N_ELEMENTS (sources); i++) {
    g_autoptr (Pipeline) p = pipeline_new (NULL, sources[i], "throttle-interval=0 max-buffering=8",
        "identity eos-after=3 ! fakesink sync=false");

    pipeline_play (p);
    g_assert_cmpuint (pipeline_stat (p, "frames-out"), ==, 2);
  }
}

/* The end of a stream that was never answered still comes. */
static void
test_the_end_comes_without_a_server_too (void)
{
  g_autoptr (Pipeline) p = pipeline_new (
      NULL, "videotestsrc num-buffers=1", "drain-timeout=200", "fakesink async=false");

  fal_server_set_refusal (p->server, 503);
  pipeline_play (p);
  g_assert_cmpuint (pipeline_stat (p, "dropped-offline"), ==, 1);
}

static void
test_it_starts_and_stops_without_end (void)
{
  g_autoptr (Pipeline) p =
      pipeline_new (NULL, "videotestsrc is-live=true", "throttle-interval=0", "fakesink");

  for (guint i = 0; i < 30; i++) {
    gst_element_set_state (p->pipeline, GST_STATE_PLAYING);
    if (i % 3 == 0)
      WAIT_UNTIL (p->filter, pipeline_stat (p, "frames-out") > 0);
    gst_element_set_state (p->pipeline, i % 2 ? GST_STATE_NULL : GST_STATE_READY);
  }
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
#define ADD(name) g_test_add_func ("/whole-pipelines/" #name, test_##name)
  ADD (a_file_comes_out_whole);
  ADD (the_default_throttle_drops_nothing_of_a_file);
  ADD (a_live_source_keeps_its_pace_and_old_frames_drop);
  ADD (latency_is_reported_and_results_keep_their_time);
  ADD (downstream_may_want_the_picture_itself);
  ADD (an_encoder_and_muxer_take_the_results);
  ADD (downstream_may_end_first);
  ADD (the_end_comes_without_a_server_too);
  ADD (it_starts_and_stops_without_end);
  return fixture_run ();
}
