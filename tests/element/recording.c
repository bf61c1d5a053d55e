/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A recording of picture and sound, live, through the element: both are marked at the same time,
 * and the file is read back. */
#include "pipeline-fixture.h"
#include <glib/gstdio.h>

/* Picture and sound are on and off in turn, each for so long. */
#define BEAT (500 * GST_MSECOND)
#define RATE 8000
#define FRAME (GST_SECOND / 30)
#define SECONDS 3

static gboolean
is_on (GstClockTime time)
{
  return time / BEAT % 2;
}

static GstPadProbeReturn
mark_picture (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  GstBuffer *buffer = info->data = gst_buffer_make_writable (info->data);

  gst_buffer_memset (buffer, 0, is_on (GST_BUFFER_PTS (buffer)) ? 255 : 0, -1);
  return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn
mark_sound (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  GstBuffer *buffer = info->data = gst_buffer_make_writable (info->data);
  GstMapInfo map;

  g_assert_true (gst_buffer_map (buffer, &map, GST_MAP_WRITE));
  for (gsize i = 0; i < map.size / sizeof (gint16); i++)
    ((gint16 *) map.data)[i] = is_on (GST_BUFFER_PTS (buffer) + i * GST_SECOND / RATE) ? 9000 : 0;
  gst_buffer_unmap (buffer, &map);
  return GST_PAD_PROBE_OK;
}

/* What a file holds: sound by its samples, pictures by their time. */
typedef struct {
  gchar sound[(SECONDS + 2) * RATE]; /* '1' on, '0' off, 0 none */
  GArray *times, *pictures;          /* GstClockTime, gboolean */
} Recording;

static void
note_sound (GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer data)
{
  Recording *recording = data;
  guint64 first = gst_util_uint64_scale_round (GST_BUFFER_PTS (buffer), RATE, GST_SECOND);
  GstMapInfo map;

  g_assert_true (gst_buffer_map (buffer, &map, GST_MAP_READ));
  for (gsize i = 0; i < map.size / sizeof (gint16); i++)
    if (first + i < sizeof recording->sound)
      recording->sound[first + i] = ((gint16 *) map.data)[i] ? '1' : '0';
  gst_buffer_unmap (buffer, &map);
}

static void
note_picture (GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer data)
{
  Recording *recording = data;
  guint8 sample;
  gboolean on;

  gst_buffer_extract (buffer, 0, &sample, 1);
  on = sample > 128;
  g_array_append_val (recording->times, GST_BUFFER_PTS (buffer));
  g_array_append_val (recording->pictures, on);
}

static void
read_recording (const gchar *path, Recording *recording)
{
  g_autofree gchar *description =
      g_strdup_printf ("filesrc location=%s ! matroskademux name=d  d.video_0 ! queue ! "
                       "fakesink name=picture signal-handoffs=true  d.audio_0 ! queue ! "
                       "fakesink name=sound signal-handoffs=true",
          path);
  Pipeline p = { .pipeline = gst_parse_launch (description, NULL) };

  p.bus = gst_element_get_bus (p.pipeline);
  g_signal_connect (pipeline_find (&p, "picture"), "handoff", G_CALLBACK (note_picture), recording);
  g_signal_connect (pipeline_find (&p, "sound"), "handoff", G_CALLBACK (note_sound), recording);
  pipeline_play (&p);
  gst_element_set_state (p.pipeline, GST_STATE_NULL);
  gst_object_unref (p.bus);
  gst_object_unref (p.pipeline);
}

/* Whether the sound is like the picture somewhere within a frame of its time. */
static gboolean
is_in_sync (const Recording *recording, guint i)
{
  GstClockTime time = g_array_index (recording->times, GstClockTime, i);
  gchar wanted = g_array_index (recording->pictures, gboolean, i) ? '1' : '0';
  gint64 middle = time * RATE / GST_SECOND, reach = FRAME * RATE / GST_SECOND;

  for (gint64 n = MAX (middle - reach, 0); n <= middle + reach; n++)
    if (recording->sound[n] == wanted)
      return TRUE;
  return FALSE;
}

static void
check_recording (const Recording *recording)
{
  guint changes = 0;

  g_assert_cmpuint (recording->times->len, >=, 2 * SECONDS);
  for (guint i = 0; i < recording->times->len; i++) {
    if (!is_in_sync (recording, i))
      g_error ("picture %u, of %" GST_TIME_FORMAT ", is not like the sound", i,
          GST_TIME_ARGS (g_array_index (recording->times, GstClockTime, i)));
    changes += i > 0 && g_array_index (recording->pictures, gboolean, i) !=
                            g_array_index (recording->pictures, gboolean, i - 1);
  }
  g_assert_cmpuint (changes, >=, 2);
}

static void
record (const gchar *path, const gchar *properties)
{
  FalServerOptions options = { .effect = "echo", .delay_ms = 100 };
  g_autofree gchar *after = g_strdup_printf (
      "videoconvert ! video/x-raw,format=I420 ! queue ! matroskamux name=mux ! "
      "filesink location=%s  audiotestsrc name=sound is-live=true samplesperbuffer=%d "
      "num-buffers=%d ! audio/x-raw,format=S16LE,channels=1,rate=%d ! queue ! mux.",
      path, RATE / 100, SECONDS * 100, RATE);
  g_autofree gchar *before =
      g_strdup_printf ("videotestsrc name=picture is-live=true num-buffers=%d ! "
                       "video/x-raw,format=GRAY8,width=64,height=64,framerate=30/1",
          SECONDS * 30);
  g_autoptr (Pipeline) p = pipeline_new (&options, before, properties, after);

  pipeline_add_probe (p, "picture", mark_picture, NULL);
  pipeline_add_probe (p, "sound", mark_sound, NULL);
  pipeline_play (p);
}

static void
test_picture_and_sound_are_in_sync (void)
{
  static const gchar *const properties[] = { "latency=800", "latency=800 throttle-interval=0" };

  for (guint i = 0; i < G_N_ELEMENTS (properties); i++) {
    g_autofree gchar *folder = g_dir_make_tmp ("gst-fal-XXXXXX", NULL);
    g_autofree gchar *path = g_build_filename (folder, "recording.mkv", NULL);
    Recording *recording = g_new0 (Recording, 1);

    recording->times = g_array_new (FALSE, FALSE, sizeof (GstClockTime));
    recording->pictures = g_array_new (FALSE, FALSE, sizeof (gboolean));
    record (path, properties[i]);
    read_recording (path, recording);
    check_recording (recording);
    g_array_unref (recording->times);
    g_array_unref (recording->pictures);
    g_free (recording);
    g_unlink (path);
    g_rmdir (folder);
  }
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  g_test_add_func ("/recording/picture_and_sound_are_in_sync", test_picture_and_sound_are_in_sync);
  return fixture_run ();
}
