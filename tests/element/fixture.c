/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixture.h"
#include <stdlib.h>
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

static void
drop_log (const gchar *domain, GLogLevelFlags level, const gchar *message, gpointer data)
{
}

void
fixture_drop_debug_log (void)
{
  static const gchar *const domains[] = { "libsoup", "GLib-GIO" };

  for (guint i = 0; i < G_N_ELEMENTS (domains); i++)
    g_log_set_handler (domains[i], G_LOG_LEVEL_DEBUG, drop_log, NULL);
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

Fixture *
fixture_new_from (const gchar *description, gboolean live)
{
  Fixture *fixture = g_new0 (Fixture, 1);

  fixture->harness = gst_harness_new_parse (description);
  g_assert_nonnull (fixture->harness);
  gst_harness_set_live (fixture->harness, live);
  fixture->element = gst_harness_find_element (fixture->harness, "falrealtimefilter");
  gst_object_unref (fixture->element);
  fixture->bus = gst_bus_new ();
  gst_element_set_bus (fixture->element, fixture->bus);
  return fixture;
}

static Fixture *
make_for_server (FalServer *server, const gchar *properties, gboolean live)
{
  g_autofree gchar *description =
      g_strdup_printf ("falrealtimefilter base-uri=%s app=test/app/image image-field=image_bytes "
                       "image-encoding=bytes throttle-interval=0 %s",
          fal_server_get_uri (server), properties ? properties : "");

  return fixture_new_from (description, live);
}

static Fixture *
make (const FalServerOptions *options, const gchar *properties, gboolean live)
{
  FalServer *server = fixture_start_server (options);
  Fixture *fixture = make_for_server (server, properties, live);

  fixture->server = server;
  return fixture;
}

Fixture *
fixture_join (FalServer *server, const gchar *properties)
{
  Fixture *fixture = make_for_server (server, properties, FALSE);

  fixture_set_size (fixture, 32, 32);
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
  g_clear_pointer (&fixture->server, fal_server_free);
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

GstBuffer *
fixture_noise (gint width, gint height, guint n)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (1);
  GstBuffer *frame = fixture_frame (width, height, 0, n);
  GstMapInfo map;

  gst_buffer_map (frame, &map, GST_MAP_WRITE);
  for (gsize i = 0; i + 4 <= map.size; i += 4)
    GST_WRITE_UINT32_LE (map.data + i, g_rand_int (rand));
  gst_buffer_unmap (frame, &map);
  return frame;
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
fixture_push_colour (Fixture *fixture, guint colour, guint n)
{
  fixture_push (fixture, fixture_frame (32, 32, colour, n));
}

void
fixture_push_frame (Fixture *fixture, guint n)
{
  fixture_push_colour (fixture, 0, n);
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
fixture_push_segment (Fixture *fixture)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  fixture_push_event (fixture, gst_event_new_segment (&segment));
}

void
fixture_flush (Fixture *fixture)
{
  fixture_push_event (fixture, gst_event_new_flush_start ());
  fixture_push_event (fixture, gst_event_new_flush_stop (TRUE));
  fixture_push_segment (fixture);
}

void
fixture_begin_numbered (Fixture *fixture, guint32 number)
{
  GstEvent *events[] = { gst_event_new_stream_start ("numbered"), NULL };
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  events[1] = gst_event_new_segment (&segment);
  fixture_set_size (fixture, 32, 32);
  for (guint i = 0; i < G_N_ELEMENTS (events); i++) {
    gst_event_set_seqnum (events[i], number);
    fixture_push_event (fixture, events[i]);
  }
}

void
fixture_push_end (Fixture *fixture)
{
  fixture_push_event (fixture, gst_event_new_eos ());
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

void
assert_says (const gchar *text, const gchar *part)
{
  if (strstr (text, part) == NULL)
    g_error ("\"%s\" does not say \"%s\"", text, part);
}

gchar *
take_error (GstBus *bus, GQuark domain, gint code)
{
  g_autoptr (GstMessage) message =
      gst_bus_timed_pop_filtered (bus, WATCHDOG_SECONDS * GST_SECOND, GST_MESSAGE_ERROR);
  g_autoptr (GError) error = NULL;
  g_autofree gchar *debug = NULL;
  g_autofree gchar *structure = NULL;

  g_assert_nonnull (message);
  gst_message_parse_error (message, &error, &debug);
  g_test_message ("%s", error->message);
  g_assert_error (error, domain, code);
  structure = gst_structure_to_string (gst_message_get_structure (message));
  return g_strconcat (error->message, "\n", debug, "\n", structure, NULL);
}

gchar *
take_refusal (const gchar *description)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GstElement) element = gst_parse_launch (description, &error);
  g_autoptr (GstBus) bus = gst_bus_new ();
  gchar *text;

  g_assert_no_error (error);
  gst_object_ref_sink (element);
  gst_element_set_bus (element, bus);
  g_assert_cmpint (gst_element_set_state (element, GST_STATE_PAUSED), ==, GST_STATE_CHANGE_FAILURE);
  text = take_error (bus, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_element_set_bus (element, NULL);
  return text;
}

gchar *
take_http_head (GSocketListener *listener, GSocketConnection **connection)
{
  GString *head = g_string_new (NULL);
  gchar byte;

  *connection = g_socket_listener_accept (listener, NULL, NULL, NULL);
  g_assert_nonnull (*connection);
  while (!g_str_has_suffix (head->str, "\r\n\r\n") &&
         g_input_stream_read (
             g_io_stream_get_input_stream (G_IO_STREAM (*connection)), &byte, 1, NULL, NULL) == 1)
    g_string_append_c (head, byte);
  return g_string_free (head, FALSE);
}

static gint
compare_times (gconstpointer a, gconstpointer b)
{
  const gint64 *x = a, *y = b;

  return (*x > *y) - (*x < *y);
}

void
sort_times (gint64 *times, guint n)
{
  qsort (times, n, sizeof *times, compare_times);
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
  g_autofree gchar *condition = g_strdup_printf ("%s = %" G_GUINT64_FORMAT, name, value);
  Wait wait = wait_begin (1000, condition, G_STRLOC);

  while (fixture_stat (fixture, name) != value)
    if (!wait_goes_on (&wait))
      wait_fail (&wait, fixture->element);
}

void
fixture_check_books (Fixture *fixture)
{
  g_autoptr (GstStructure) s = get_stats (fixture);

  g_assert_cmpuint (get_uint64 (s, "frames-in"), ==,
      get_uint64 (s, "frames-sent") + get_uint64 (s, "frames-waiting") +
          get_uint64 (s, "dropped-throttled") + get_uint64 (s, "dropped-replaced") +
          get_uint64 (s, "dropped-offline") + get_uint64 (s, "dropped-flushed") +
          get_uint64 (s, "dropped-invalid") + get_uint64 (s, "dropped-absent") +
          get_uint64 (s, "dropped-unchanged"));
  g_assert_cmpuint (get_uint64 (s, "frames-sent"), ==,
      get_uint64 (s, "answered") + get_uint64 (s, "failed") + get_uint64 (s, "expired") +
          get_uint64 (s, "lost") + get_uint64 (s, "in-flight"));
}

const gchar *
fixture_get_state (Fixture *fixture)
{
  GParamSpec *spec =
      g_object_class_find_property (G_OBJECT_GET_CLASS (fixture->element), "connection-state");
  gint state;

  g_object_get (fixture->element, "connection-state", &state, NULL);
  return g_enum_get_value (G_PARAM_SPEC_ENUM (spec)->enum_class, state)->value_nick;
}

void
fixture_wait_for_state (Fixture *fixture, const gchar *state)
{
  Wait wait = wait_begin (1000, state, G_STRLOC);

  while (!g_str_equal (fixture_get_state (fixture), state))
    if (!wait_goes_on (&wait))
      wait_fail (&wait, fixture->element);
}

void
fixture_wait_until_closed (Fixture *fixture)
{
  WAIT_UNTIL (fixture->element, fal_server_get_open (fixture->server) == 0 &&
                                    g_str_equal (fixture_get_state (fixture), "idle"));
}

static GstPadProbeReturn
stay_blocked (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  return GST_PAD_PROBE_OK;
}

gulong
fixture_block_downstream (Fixture *fixture)
{
  return gst_pad_add_probe (
      fixture->harness->sinkpad, GST_PAD_PROBE_TYPE_BLOCK_DOWNSTREAM, stay_blocked, NULL, NULL);
}

void
fixture_wait_until_blocked (Fixture *fixture)
{
  WAIT_UNTIL (fixture->element, gst_pad_is_blocking (fixture->harness->sinkpad));
}

static GstFlowReturn
refuse (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  gint *flow = g_object_get_data (G_OBJECT (pad), "flow");

  gst_buffer_unref (buffer);
  return g_atomic_int_get (flow);
}

void
fixture_refuse_downstream (Fixture *fixture, gint *flow)
{
  g_object_set_data (G_OBJECT (fixture->harness->sinkpad), "flow", flow);
  gst_pad_set_chain_function (fixture->harness->sinkpad, refuse);
}

GstMessage *
fixture_wait_for_message (Fixture *fixture, GstMessageType types)
{
  GstMessage *message =
      gst_bus_timed_pop_filtered (fixture->bus, WATCHDOG_SECONDS * GST_SECOND, types);

  g_assert_nonnull (message);
  return message;
}

void
fixture_expect_no_message (Fixture *fixture)
{
  g_assert_null (gst_bus_pop_filtered (fixture->bus, GST_MESSAGE_WARNING | GST_MESSAGE_ERROR));
}

gchar *
fixture_take_trouble (Fixture *fixture, GstMessageType type)
{
  g_autoptr (GstMessage) message = fixture_wait_for_message (fixture, type);
  g_autoptr (GError) error = NULL;
  g_autofree gchar *debug = NULL;
  gchar *text;

  if (type == GST_MESSAGE_ERROR)
    gst_message_parse_error (message, &error, &debug);
  else
    gst_message_parse_warning (message, &error, &debug);
  text = g_strconcat (error->message, "\n", debug, NULL);
  g_test_message ("%s", text);
  g_assert_null (strstr (text, "PLANTED"));
  return text;
}

gchar *
fixture_push_into_error (Fixture *fixture)
{
  gst_harness_push (fixture->harness, fixture_frame (32, 32, 0, 0));
  return fixture_take_trouble (fixture, GST_MESSAGE_ERROR);
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

void
fixture_wait_for_end (Fixture *fixture)
{
  gst_event_unref (fixture_wait_for_event (fixture, GST_EVENT_EOS));
}

void
fixture_run_another_stream (void)
{
  g_autoptr (Fixture) another = fixture_new (NULL, NULL);

  fixture_set_size (another, 32, 32);
  fixture_push_and_pull (another, 0);
  fixture_push_end (another);
  fixture_wait_for_end (another);
}
