/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "camera.h"

void
camera_push (Camera *camera)
{
  fixture_push (camera->f, invariants_make_frame (camera->pushed++));
}

void
camera_push_until_results (Camera *camera, guint n)
{
  guint wanted = invariants_get_good (camera->invariants) + n;

  REPEAT_UNTIL (
      camera->f->element, invariants_get_good (camera->invariants) >= wanted, camera_push (camera));
}

void
camera_push_until_warning (Camera *camera, const gchar *text)
{
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) error = NULL;

  REPEAT_UNTIL (camera->f->element,
      (message = gst_bus_pop_filtered (camera->f->bus, GST_MESSAGE_WARNING | GST_MESSAGE_ERROR)),
      camera_push (camera));
  g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_WARNING);
  gst_message_parse_warning (message, &error, NULL);
  g_test_message ("%s", error->message);
  assert_says (error->message, text);
}

void
camera_push_for (Camera *camera, gint64 milliseconds)
{
  gint64 end = g_get_monotonic_time () + milliseconds * G_TIME_SPAN_MILLISECOND;

  REPEAT_UNTIL (camera->f->element, g_get_monotonic_time () >= end, camera_push (camera));
}
