/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "narrow-way.h"

#define CAMERA_FRAMES 90 /* at 30 a second */
#define MOST_BEHIND 45   /* frames: a second and a half */

/* The number of the frame whose result came last. On the source pad's task. */
static GstPadProbeReturn
note_number (GstPad *pad, GstPadProbeInfo *info, gpointer number)
{
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);

  g_atomic_int_set ((gint *) number, (GST_BUFFER_PTS (buffer) * 30 + 30) / GST_SECOND);
  return GST_PAD_PROBE_OK;
}

/* Pushes all; how many frames the results were behind at the most. */
static gint
push_all (Fixture *f, gint *newest)
{
  gint64 began = g_get_monotonic_time ();
  gint behind = 0;

  for (gint n = 0; n < CAMERA_FRAMES; n++) {
    pace_until (began + n * G_USEC_PER_SEC / 30);
    fixture_push (f, fixture_noise (160, 120, n));
    behind = MAX (behind, n - g_atomic_int_get (newest));
  }
  return behind;
}

void
narrow_way_check (Fixture *f, Invariants *invariants)
{
  gint newest = 0, behind;
  gulong probe = gst_pad_add_probe (
      f->harness->sinkpad, GST_PAD_PROBE_TYPE_BUFFER, note_number, &newest, NULL);

  fixture_set_size (f, 160, 120);
  behind = push_all (f, &newest);
  fixture_push_end (f);
  WAIT_UNTIL (f->element, invariants_is_over (invariants));
  gst_pad_remove_probe (f->harness->sinkpad, probe);
  g_test_message ("%u of %u frames sent, at most %d behind",
      (guint) fixture_stat (f, "frames-sent"), CAMERA_FRAMES, behind);
  g_assert_cmpint (behind, <, MOST_BEHIND);
  g_assert_cmpint (newest, ==, CAMERA_FRAMES - 1);
  g_assert_cmpuint (fixture_stat (f, "dropped-replaced"), >, CAMERA_FRAMES / 2);
  g_assert_cmpuint (fixture_stat (f, "frames-sent") + fixture_stat (f, "dropped-replaced") +
                        fixture_stat (f, "dropped-offline"), /* before the link stood */
      ==, CAMERA_FRAMES);
}
