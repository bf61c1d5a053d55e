/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is set while playing goes with the next frame, over the same connection. */
#include "fixture.h"
#include "fal/image/image-file.h"
#include "fal/settings/properties.h"
#include <gst/controller/gstdirectcontrolbinding.h>
#include <gst/controller/gstinterpolationcontrolsource.h>
#include <string.h>

#define SIZE 64

/* Not of one colour: what the quality is can then be seen by the size. */
static GstBuffer *
make_frame (guint n)
{
  GstBuffer *buffer = fixture_frame (SIZE, SIZE, 0x808080, n);
  GstMapInfo map;

  g_assert_true (gst_buffer_map (buffer, &map, GST_MAP_WRITE));
  for (gsize i = 0; i < map.size; i++)
    map.data[i] = i * i / 7;
  gst_buffer_unmap (buffer, &map);
  return buffer;
}

static FalReceivedRequest *
push_and_receive (Fixture *f, guint n)
{
  FalReceivedRequest *received;

  fixture_push (f, make_frame (n));
  gst_buffer_unref (fixture_pull (f));
  received = fal_server_pop_received (f->server, WATCHDOG_SECONDS * 1000);
  g_assert_nonnull (received);
  g_assert_cmpuint (received->connection, ==, 1);
  return received;
}

/* ---- inputs of the model ---- */

typedef struct {
  const gchar *property, *value, *field, *sent;
} Input;

static const Input inputs[] = {
  { "prompt", "a fox", "prompt", "a fox" },
  { "negative-prompt", "blurry", "negative_prompt", "blurry" },
  { "seed", "-7", "seed", "-7" },
  { "seed", "9007199254740993", "seed", "9007199254740993" },
  { "num-inference-steps", "3", "num_inference_steps", "3" },
  { "strength", "0.25", "strength", "0.25" },
  { "guidance-scale", "2.5", "guidance_scale", "2.5" },
  { "parameters", "p, image_size=square", "image_size", "square" },
  { "parameters-json", "{\"schedule_mu\":2.25}", "schedule_mu", "2.25" },
};

static gchar *
describe_value (const GValue *value)
{
  g_assert_nonnull (value);
  return G_VALUE_HOLDS_STRING (value) ? g_value_dup_string (value) : gst_value_serialize (value);
}

static void
test_inputs_go_with_the_next_frame (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, NULL);

  fixture_set_size (f, SIZE, SIZE);
  fal_received_request_free (push_and_receive (f, 0));
  for (guint i = 0; i < G_N_ELEMENTS (inputs); i++) {
    g_autoptr (FalReceivedRequest) received = NULL;
    g_autofree gchar *sent = NULL;

    g_test_message ("%s", inputs[i].property);
    gst_util_set_object_arg (G_OBJECT (f->element), inputs[i].property, inputs[i].value);
    received = push_and_receive (f, i + 1);
    sent = describe_value (gst_structure_get_value (received->request, inputs[i].field));
    g_assert_cmpstr (sent, ==, inputs[i].sent);
  }
}

/* What was set and is unset again is absent again. */
static void
test_an_input_may_be_unset (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, "prompt=one parameters-json={\"x\":1}");
  g_autoptr (FalReceivedRequest) before = NULL, after = NULL;

  fixture_set_size (f, SIZE, SIZE);
  before = push_and_receive (f, 0);
  g_object_set (f->element, "prompt", NULL, "parameters-json", NULL, NULL);
  after = push_and_receive (f, 1);
  g_assert_true (gst_structure_has_field (before->request, "prompt"));
  g_assert_true (gst_structure_has_field (before->request, "x"));
  g_assert_false (gst_structure_has_field (after->request, "prompt"));
  g_assert_false (gst_structure_has_field (after->request, "x"));
}

/* ---- the picture ---- */

static gsize
get_picture (FalReceivedRequest *received, FalImageFileInfo *info)
{
  GBytes *picture;

  g_assert_true (
      gst_structure_get (received->request, "image_bytes", G_TYPE_BYTES, &picture, NULL));
  g_assert_true (fal_image_file_probe (picture, G_MAXUINT64, info, NULL));
  g_bytes_unref (picture);
  return g_bytes_get_size (picture);
}

static void
test_the_picture_changes_with_the_next_frame (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, "quality=95");
  g_autoptr (FalReceivedRequest) fine = NULL, coarse = NULL, small = NULL, narrow = NULL;
  FalImageFileInfo info;
  gsize size;

  fixture_set_size (f, SIZE, SIZE);
  fine = push_and_receive (f, 0);
  size = get_picture (fine, &info);
  g_assert_cmpint (info.width, ==, SIZE);
  g_object_set (f->element, "quality", 5, NULL);
  coarse = push_and_receive (f, 1);
  g_assert_cmpuint (get_picture (coarse, &info), <, size);
  g_object_set (f->element, "width", 32, NULL);
  small = push_and_receive (f, 2);
  get_picture (small, &info);
  g_assert_cmpint (info.width, ==, 32);
  g_assert_cmpint (info.height, ==, 32);
  g_object_set (f->element, "width", 0, "height", 16, "fit", 2, NULL);
  narrow = push_and_receive (f, 3);
  get_picture (narrow, &info);
  g_assert_cmpint (info.width, ==, 16);
  g_assert_cmpint (info.height, ==, 16);
}

/* ---- the flow ---- */

static void
test_the_throttle_may_be_taken_off (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, "throttle-interval=3600000");

  fixture_set_size (f, SIZE, SIZE);
  fal_received_request_free (push_and_receive (f, 0));
  fixture_push (f, fixture_frame (SIZE, SIZE, 0, 1));
  g_assert_cmpuint (fixture_stat (f, "frames-waiting"), ==, 1);
  g_object_set (f->element, "throttle-interval", 0, NULL); /* what waits goes at once */
  gst_buffer_unref (fixture_pull (f));
  g_assert_cmpuint (fal_server_get_connections (f->server), ==, 1);
}

static void
test_more_may_be_in_flight_and_wait (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, "max-in-flight=1 request-id=always");

  fixture_set_size (f, SIZE, SIZE);
  fal_received_request_free (push_and_receive (f, 0));
  fal_server_set_mute (f->server, TRUE);
  fixture_push (f, fixture_frame (SIZE, SIZE, 0, 1));
  fixture_wait_for_stat (f, "in-flight", 1);
  for (guint n = 2; n < 4; n++)
    fixture_push (f, fixture_frame (SIZE, SIZE, 0, n));
  g_assert_cmpuint (fixture_stat (f, "frames-waiting"), ==, 1);
  g_object_set (f->element, "max-buffering", 3, "max-in-flight", 3, NULL);
  fixture_wait_for_stat (f, "in-flight", 2);
  fixture_push (f, fixture_frame (SIZE, SIZE, 0, 4));
  fixture_wait_for_stat (f, "in-flight", 3);
  for (guint n = 5; n < 9; n++)
    fixture_push (f, fixture_frame (SIZE, SIZE, 0, n));
  g_assert_cmpuint (fixture_stat (f, "frames-waiting"), ==, 3);
  g_assert_cmpuint (fal_server_get_connections (f->server), ==, 1);
}

/* A live stream in which no frame is to be lost: upstream waits from now on. */
static void
test_a_live_stream_may_stop_to_drop (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, NULL);

  fixture_set_size (f, SIZE, SIZE);
  fal_received_request_free (push_and_receive (f, 0));
  gst_util_set_object_arg (G_OBJECT (f->element), "leaky", "no");
  for (guint n = 1; n < 20; n++)
    fixture_push (f, fixture_frame (SIZE, SIZE, 0, n));
  for (guint n = 1; n < 20; n++)
    gst_buffer_unref (fixture_pull (f));
  g_assert_cmpuint (fal_server_get_connections (f->server), ==, 1);
}

static void
test_a_request_timeout_may_be_shortened (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, "request-timeout=0 request-id=always");

  fixture_set_size (f, SIZE, SIZE);
  fal_received_request_free (push_and_receive (f, 0));
  fal_server_set_mute (f->server, TRUE);
  fixture_push (f, fixture_frame (SIZE, SIZE, 0, 1));
  fixture_wait_for_stat (f, "in-flight", 1);
  g_object_set (f->element, "request-timeout", 1, NULL);
  fixture_wait_for_stat (f, "expired", 1);
}

/* It is for the next connection: this one stays. */
static void
test_a_token_is_for_the_next_connection (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, "token=first");
  g_autofree gchar *before = NULL, *after = NULL;

  fixture_set_size (f, SIZE, SIZE);
  fal_received_request_free (push_and_receive (f, 0));
  g_object_set (f->element, "token", "second", "max-buffering", 5, NULL);
  fal_received_request_free (push_and_receive (f, 1));
  before = fal_server_dup_last_target (f->server);
  g_signal_emit_by_name (f->element, "reconnect");
  fixture_push (f, fixture_frame (SIZE, SIZE, 0, 2));
  gst_buffer_unref (fixture_pull (f));
  after = fal_server_dup_last_target (f->server);
  g_assert_true (g_str_has_suffix (before, "?fal_jwt_token=first"));
  g_assert_true (g_str_has_suffix (after, "?fal_jwt_token=second&max_buffering=5"));
}

/* Whatever may change while playing says so in its flags, and the other way round. */
static void
test_the_flags_say_when_a_property_may_change (void)
{
  static const gchar *const playing[] = { "region", "region-margin", "region-absent", "token",
    "enabled", "throttle-interval", "throttle-upstream", "change-threshold", "max-unchanged-time",
    "max-buffering", "max-in-flight", "leaky", "prompt", "negative-prompt", "seed",
    "num-inference-steps", "strength", "guidance-scale", "parameters", "parameters-json", "width",
    "height", "fit", "quality", "latency", "latency-mode", "max-latency", "output-framerate",
    "transition", "composite", "composite-frames", "feather", "background", "fallback",
    "fallback-timeout", "connect-timeout", "request-timeout", "drain-timeout", "idle-timeout",
    "retries", "retry-delay", "max-retry-delay", "session-limit", "price-per-second",
    "price-per-request", "budget", NULL };
  static const gchar *const controllable[] = { "seed", "num-inference-steps", "strength",
    "guidance-scale", "quality", NULL };
  g_autoptr (GstElement) element = gst_element_factory_make ("falrealtimefilter", NULL);
  g_autofree GParamSpec **specs =
      g_object_class_list_properties (G_OBJECT_GET_CLASS (gst_object_ref_sink (element)), NULL);

  for (guint i = 0; specs[i] != NULL; i++) {
    if (specs[i]->owner_type != G_OBJECT_TYPE (element))
      continue;
    g_test_message ("%s", specs[i]->name);
    g_assert_cmpint ((specs[i]->flags & GST_PARAM_MUTABLE_PLAYING) != 0, ==,
        g_strv_contains (playing, specs[i]->name));
    g_assert_cmpint ((specs[i]->flags & GST_PARAM_CONTROLLABLE) != 0, ==,
        g_strv_contains (controllable, specs[i]->name));
  }
}

static gchar *
take_advice (Fixture *f)
{
  g_autoptr (GstMessage) message = gst_bus_pop_filtered (f->bus, GST_MESSAGE_INFO);
  g_autoptr (GError) error = NULL;

  if (message == NULL)
    return NULL;
  gst_message_parse_info (message, &error, NULL);
  return g_strdup (error->message);
}

/* Once for each start, and only where it is another value. */
static void
test_what_is_set_too_late_is_told_once (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, "");
  g_autofree gchar *app = NULL;

  fixture_set_size (f, SIZE, SIZE);
  g_object_get (f->element, "app", &app, NULL);
  for (guint n = 0; n < 2; n++) {
    g_autofree gchar *text = NULL;

    g_object_set (f->element, "app", app, "prompt", "a boat", NULL);
    g_assert_null (take_advice (f));
    g_object_set (f->element, "app", "another/app", "base-uri", "ws://127.0.0.1:1", NULL);
    text = take_advice (f);
    assert_says (text, "app was set while the element runs");
    assert_says (text, "READY");
    g_assert_null (take_advice (f));
    gst_element_set_state (f->element, GST_STATE_READY);
    g_object_set (f->element, "app", app, "base-uri", fal_server_get_uri (f->server), NULL);
    g_assert_null (take_advice (f));
    fixture_play (f);
  }
}

/* ---- the controller ---- */

static void
control (Fixture *f, const gchar *property, GstClockTime from, GstClockTime to)
{
  GstControlSource *source = gst_interpolation_control_source_new ();
  GstTimedValueControlSource *values = GST_TIMED_VALUE_CONTROL_SOURCE (source);

  g_object_set (source, "mode", GST_INTERPOLATION_MODE_LINEAR, NULL);
  g_assert_true (gst_timed_value_control_source_set (values, from, 0));
  g_assert_true (gst_timed_value_control_source_set (values, to, 1));
  g_assert_true (gst_object_add_control_binding (GST_OBJECT (f->element),
      gst_direct_control_binding_new (GST_OBJECT (f->element), property, source)));
  gst_object_unref (source);
}

/* A sweep over ten seconds of stream time, which is not running time here. */
static void
test_a_controller_sweeps_by_stream_time (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, NULL);
  GstSegment segment;

  control (f, "strength", 100 * GST_SECOND, 110 * GST_SECOND);
  fixture_set_size (f, SIZE, SIZE);
  gst_segment_init (&segment, GST_FORMAT_TIME);
  segment.start = segment.position = 40 * GST_SECOND;
  segment.time = 100 * GST_SECOND;
  segment.base = 7 * GST_SECOND;
  g_assert_true (gst_harness_push_event (f->harness, gst_event_new_segment (&segment)));
  for (guint n = 0; n <= 10; n++) {
    g_autoptr (FalReceivedRequest) received = NULL;
    GstBuffer *buffer = fixture_frame (SIZE, SIZE, 0, 0);
    gdouble strength;

    GST_BUFFER_PTS (buffer) = (40 + n) * GST_SECOND;
    fixture_push (f, buffer);
    gst_buffer_unref (fixture_pull (f));
    received = fal_server_pop_received (f->server, WATCHDOG_SECONDS * 1000);
    g_assert_true (gst_structure_get_double (received->request, "strength", &strength));
    g_assert_cmpfloat_with_epsilon (strength, n / 10.0, 1e-9);
  }
}

/* Whole numbers too: they stay whole on the wire. */
static void
test_a_controller_drives_whole_numbers (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, NULL);

  control (f, "num-inference-steps", 0, GST_SECOND);
  fixture_set_size (f, SIZE, SIZE);
  for (guint n = 0; n <= 30; n += 15) {
    g_autoptr (FalReceivedRequest) received = push_and_receive (f, n);
    gint64 steps;

    g_assert_true (gst_structure_get_int64 (received->request, "num_inference_steps", &steps));
    g_assert_cmpint (steps, ==, n * 1000 / 30);
  }
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
#define ADD(name) g_test_add_func ("/settings-while-playing/" #name, test_##name)
  ADD (inputs_go_with_the_next_frame);
  ADD (an_input_may_be_unset);
  ADD (the_picture_changes_with_the_next_frame);
  ADD (the_throttle_may_be_taken_off);
  ADD (more_may_be_in_flight_and_wait);
  ADD (a_live_stream_may_stop_to_drop);
  ADD (a_request_timeout_may_be_shortened);
  ADD (a_token_is_for_the_next_connection);
  ADD (the_flags_say_when_a_property_may_change);
  ADD (what_is_set_too_late_is_told_once);
  ADD (a_controller_sweeps_by_stream_time);
  ADD (a_controller_drives_whole_numbers);
  return fixture_run ();
}
