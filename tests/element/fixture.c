/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixture.h"
#include <string.h>

void
fixture_init (int *argc, char ***argv)
{
  static const gchar *const domains[] = { NULL, "fal", "GLib", "GLib-GObject", "GStreamer" };
  const GLogLevelFlags fatal = G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL;

  gst_init (argc, argv);
  g_test_init (argc, argv, NULL);
  g_log_set_always_fatal (fatal);
  for (guint i = 0; i < G_N_ELEMENTS (domains); i++)
    g_log_set_fatal_mask (domains[i], fatal | G_LOG_LEVEL_WARNING);
}

static gboolean
is_without_stream (const gchar *message)
{
  return strstr (message, "data flow before stream-start") != NULL ||
         strstr (message, "data flow before segment") != NULL;
}

static gboolean
is_fatal (const gchar *domain, GLogLevelFlags level, const gchar *message, gpointer data)
{
  return !is_without_stream (message);
}

/* GLib's own would end the test's output over a message that may be fatal, though it is not. */
static void
log_others (const gchar *domain, GLogLevelFlags level, const gchar *message, gpointer data)
{
  if (!is_without_stream (message))
    g_log_default_handler (domain, level, message, data);
}

guint
fixture_allow_data_without_stream (void)
{
  g_test_log_set_fatal_handler (is_fatal, NULL);
  return g_log_set_handler ("GStreamer", G_LOG_LEVEL_WARNING | G_LOG_FLAG_FATAL, log_others, NULL);
}

int
fixture_run (void)
{
  int status = g_test_run ();

  gst_deinit ();
  return status;
}

FalServer *
fixture_start_server (const FalServerOptions *options)
{
  static const FalServerOptions defaults = { 0 };
  g_autoptr (GError) error = NULL;
  FalServer *server = fal_server_new (options ? options : &defaults, &error);

  g_assert_no_error (error);
  return server;
}

static Fixture *
make (const FalServerOptions *options, const gchar *properties, gboolean live)
{
  Fixture *fixture = g_new0 (Fixture, 1);
  g_autofree gchar *description = NULL;

  fixture->server = fixture_start_server (options);
  description =
      g_strdup_printf ("falrealtimefilter base-uri=%s app=test/app/image image-field=image_bytes "
                       "image-encoding=bytes throttle-interval=0 %s",
          fal_server_get_uri (fixture->server), properties ? properties : "");
  fixture->harness = gst_harness_new_parse (description);
  g_assert_nonnull (fixture->harness);
  gst_harness_set_live (fixture->harness, live);
  fixture->element = gst_harness_find_element (fixture->harness, "falrealtimefilter");
  gst_object_unref (fixture->element);
  fixture->bus = gst_bus_new ();
  gst_element_set_bus (fixture->element, fixture->bus);
  return fixture;
}

Fixture *
fixture_new (const FalServerOptions *options, const gchar *properties)
{
  return make (options, properties, FALSE);
}

Fixture *
fixture_new_live (const FalServerOptions *options, const gchar *properties)
{
  return make (options, properties, TRUE);
}

void
fixture_free (Fixture *fixture)
{
  fixture_check_books (fixture);
  gst_element_set_state (fixture->harness->element, GST_STATE_NULL);
  fixture_check_books (fixture);
  gst_element_set_bus (fixture->element, NULL);
  gst_harness_teardown (fixture->harness);
  gst_bus_set_flushing (fixture->bus, TRUE);
  gst_object_unref (fixture->bus);
  fal_server_free (fixture->server);
  g_free (fixture);
}

void
fixture_set_size (Fixture *fixture, gint width, gint height)
{
  gst_harness_set_src_caps (fixture->harness,
      gst_caps_new_simple ("video/x-raw", "format", G_TYPE_STRING, "RGB", "width", G_TYPE_INT,
          width, "height", G_TYPE_INT, height, "framerate", GST_TYPE_FRACTION, 30, 1, NULL));
}

GstBuffer *
fixture_frame (gint width, gint height, guint colour, guint n)
{
  GstVideoInfo info;
  GstVideoFrame frame;
  GstBuffer *buffer;

  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_RGB, width, height);
  buffer = gst_buffer_new_allocate (NULL, info.size, NULL);
  g_assert_true (gst_video_frame_map (&frame, &info, buffer, GST_MAP_WRITE));
  for (gint y = 0; y < height; y++) {
    guint8 *row = GST_VIDEO_FRAME_PLANE_DATA (&frame, 0);

    row += y * GST_VIDEO_FRAME_PLANE_STRIDE (&frame, 0);
    for (gint x = 0; x < width; x++)
      for (gint c = 0; c < 3; c++)
        row[3 * x + c] = colour >> (16 - 8 * c);
  }
  gst_video_frame_unmap (&frame);
  GST_BUFFER_PTS (buffer) = gst_util_uint64_scale (n, GST_SECOND, 30);
  GST_BUFFER_DURATION (buffer) = GST_SECOND / 30;
  return buffer;
}

void
fixture_push (Fixture *fixture, GstBuffer *buffer)
{
  g_assert_cmpint (gst_harness_push (fixture->harness, buffer), ==, GST_FLOW_OK);
}

GstBuffer *
fixture_pull (Fixture *fixture)
{
  GstBuffer *buffer = gst_harness_pull (fixture->harness);

  g_assert_nonnull (buffer);
  return buffer;
}

void
fixture_play (Fixture *fixture)
{
  g_assert_cmpint (gst_element_set_state (fixture->harness->element, GST_STATE_PLAYING), !=,
      GST_STATE_CHANGE_FAILURE);
  gst_harness_push_event (fixture->harness, gst_event_new_stream_start ("again"));
  fixture_set_size (fixture, 32, 32);
}

void
fixture_push_frame (Fixture *fixture, guint n)
{
  fixture_push (fixture, fixture_frame (32, 32, 0, n));
}

void
fixture_push_frames (Fixture *fixture, guint first, guint last)
{
  for (guint n = first; n <= last; n++)
    fixture_push_frame (fixture, n);
}

void
fixture_push_event (Fixture *fixture, GstEvent *event)
{
  g_assert_true (gst_harness_push_event (fixture->harness, event));
}

void
fixture_flush (Fixture *fixture)
{
  GstSegment segment;

  fixture_push_event (fixture, gst_event_new_flush_start ());
  fixture_push_event (fixture, gst_event_new_flush_stop (TRUE));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  fixture_push_event (fixture, gst_event_new_segment (&segment));
}

void
fixture_push_and_pull (Fixture *fixture, guint n)
{
  fixture_push_frame (fixture, n);
  gst_buffer_unref (fixture_pull (fixture));
}

GstCaps *
fixture_get_caps (Fixture *fixture)
{
  return gst_pad_get_current_caps (fixture->harness->sinkpad);
}

guint
fixture_colour (Fixture *fixture, GstBuffer *buffer)
{
  g_autoptr (GstCaps) caps = fixture_get_caps (fixture);
  GstVideoInfo info;
  GstVideoFrame frame;
  guint colour = 0;

  g_assert_true (gst_video_info_from_caps (&info, caps));
  g_assert_true (gst_video_frame_map (&frame, &info, buffer, GST_MAP_READ));
  for (guint c = 0; c < 3; c++) {
    const guint8 *data = GST_VIDEO_FRAME_COMP_DATA (&frame, c);

    data += (info.height / 2) * GST_VIDEO_FRAME_COMP_STRIDE (&frame, c);
    data += (info.width / 2) * GST_VIDEO_FRAME_COMP_PSTRIDE (&frame, c);
    colour = colour << 8 | *data;
  }
  gst_video_frame_unmap (&frame);
  return colour;
}

void
assert_colour (guint colour, guint wanted, guint most)
{
  for (guint shift = 0; shift < 24; shift += 8) {
    gint have = (colour >> shift) & 0xff, want = (wanted >> shift) & 0xff;

    if (ABS (have - want) > (gint) most)
      g_error ("colour is %06x, should be %06x within %u", colour, wanted, most);
  }
}

static guint64
get_uint64 (const GstStructure *stats, const gchar *name)
{
  guint64 value;

  g_assert_true (gst_structure_get_uint64 (stats, name, &value));
  return value;
}

static GstStructure *
get_stats (Fixture *fixture)
{
  GstStructure *stats;

  g_object_get (fixture->element, "stats", &stats, NULL);
  return stats;
}

guint64
fixture_stat (Fixture *fixture, const gchar *name)
{
  g_autoptr (GstStructure) stats = get_stats (fixture);

  return get_uint64 (stats, name);
}

void
fixture_wait_for_stat (Fixture *fixture, const gchar *name, guint64 value)
{
  gint64 watchdog = g_get_monotonic_time () + WATCHDOG_SECONDS * G_USEC_PER_SEC;

  while (fixture_stat (fixture, name) != value) {
    if (g_get_monotonic_time () > watchdog)
      g_error ("%s is %" G_GUINT64_FORMAT ", should become %" G_GUINT64_FORMAT, name,
          fixture_stat (fixture, name), value);
    g_usleep (1000);
  }
}

void
fixture_check_books (Fixture *fixture)
{
  g_autoptr (GstStructure) s = get_stats (fixture);

  g_assert_cmpuint (get_uint64 (s, "frames-in"), ==,
      get_uint64 (s, "frames-sent") + get_uint64 (s, "frames-waiting") +
          get_uint64 (s, "dropped-throttled") + get_uint64 (s, "dropped-replaced") +
          get_uint64 (s, "dropped-offline") + get_uint64 (s, "dropped-flushed"));
  g_assert_cmpuint (get_uint64 (s, "frames-sent"), ==,
      get_uint64 (s, "answered") + get_uint64 (s, "failed") + get_uint64 (s, "expired") +
          get_uint64 (s, "lost") + get_uint64 (s, "in-flight"));
}

GstMessage *
fixture_wait_for_message (Fixture *fixture, GstMessageType types)
{
  GstMessage *message =
      gst_bus_timed_pop_filtered (fixture->bus, WATCHDOG_SECONDS * GST_SECOND, types);

  g_assert_nonnull (message);
  return message;
}

GstEvent *
fixture_wait_for_event (Fixture *fixture, GstEventType type)
{
  for (;;) {
    GstEvent *event = gst_harness_pull_event (fixture->harness);

    g_assert_nonnull (event);
    if (GST_EVENT_TYPE (event) == type)
      return event;
    gst_event_unref (event);
  }
}
