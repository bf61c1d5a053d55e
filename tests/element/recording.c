/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A recording of picture and sound, live, through the element: both are marked with the number of
 * the moment, and the file is read back. Nothing is judged by the clock: what counts is where the
 * marks stand in the file. */
#include "pipeline-fixture.h"
#include <glib/gstdio.h>

#define RATE 8000
#define FRAMES 30 /* a second */
#define SECONDS 3 /* and at least */
#define MOST_SECONDS 6
/* Numbers begin anew after so many frames. Their greys are LEVELS apart, more than a JPEG blurs. */
#define MARKS 32
#define LEVELS 8

/* The mark of the frame that lasts at @time. */
static guint
get_mark (GstClockTime time)
{
  return gst_util_uint64_scale (time + GST_MSECOND, FRAMES, GST_SECOND) % MARKS;
}

static GstPadProbeReturn
mark_picture (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  GstBuffer *buffer = info->data = gst_buffer_make_writable (info->data);

  gst_buffer_memset (buffer, 0, LEVELS * get_mark (GST_BUFFER_PTS (buffer)) + LEVELS / 2, -1);
  return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn
mark_sound (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  GstBuffer *buffer = info->data = gst_buffer_make_writable (info->data);
  GstMapInfo map;

  g_assert_true (gst_buffer_map (buffer, &map, GST_MAP_WRITE));
  for (gsize i = 0; i < map.size / sizeof (gint16); i++)
    ((gint16 *) map.data)[i] = 100 * get_mark (GST_BUFFER_PTS (buffer) + i * GST_SECOND / RATE);
  gst_buffer_unmap (buffer, &map);
  return GST_PAD_PROBE_OK;
}

#define SILENCE -1

/* What a file holds: sound by its samples, pictures by their time. */
typedef struct {
  gint sound[(MOST_SECONDS + 2) * RATE]; /* marks, or SILENCE */
  GArray *times, *pictures;              /* GstClockTime, guint: marks */
} Recording;

static void
note_sound (GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer data)
{
  Recording *recording = data;
  guint64 first = gst_util_uint64_scale_round (GST_BUFFER_PTS (buffer), RATE, GST_SECOND);
  GstMapInfo map;

  g_assert_true (gst_buffer_map (buffer, &map, GST_MAP_READ));
  for (gsize i = 0; i < map.size / sizeof (gint16); i++)
    if (first + i < G_N_ELEMENTS (recording->sound))
      recording->sound[first + i] = ((gint16 *) map.data)[i] / 100;
  gst_buffer_unmap (buffer, &map);
}

static void
note_picture (GstElement *sink, GstBuffer *buffer, GstPad *pad, gpointer data)
{
  Recording *recording = data;
  guint8 sample;
  guint mark;

  gst_buffer_extract (buffer, 0, &sample, 1);
  mark = sample / LEVELS;
  g_array_append_val (recording->times, GST_BUFFER_PTS (buffer));
  g_array_append_val (recording->pictures, mark);
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

/* How many frames the picture is before the sound of its time, or behind it. The two sources do not
 * begin and end at the same moment. FALSE: there is no sound. */
static gboolean
find_distance (const Recording *recording, guint i, gint *distance)
{
  GstClockTime time = g_array_index (recording->times, GstClockTime, i);
  guint64 sample = gst_util_uint64_scale_round (time, RATE, GST_SECOND);
  gint mark;

  if (sample >= G_N_ELEMENTS (recording->sound) || recording->sound[sample] == SILENCE)
    return FALSE;
  mark = g_array_index (recording->pictures, guint, i);
  *distance = (mark - recording->sound[sample] + MARKS + MARKS / 2) % MARKS - MARKS / 2;
  return TRUE;
}

/* A picture that is shown once more has its mark from before. @finds: the delay of results is
 * found, and those that came before it was have the time at which they came. */
static void
check_recording (const Recording *recording, gboolean finds)
{
  guint early = 0, in_sync = 0;
  gint distance;

  for (guint i = 0; i < recording->times->len; i++) {
    if (i > 0 && g_array_index (recording->pictures, guint, i) ==
                     g_array_index (recording->pictures, guint, i - 1))
      continue;
    if (!find_distance (recording, i, &distance))
      continue;
    if (finds && in_sync == 0 && distance < -1)
      early++;
    else if (ABS (distance) > 1)
      g_error ("picture %u, of %" GST_TIME_FORMAT ", is %d frames off", i,
          GST_TIME_ARGS (g_array_index (recording->times, GstClockTime, i)), distance);
    else
      in_sync++;
  }
  g_test_message ("%u of %u pictures in sync, %u from before the delay was known", in_sync,
      recording->times->len, early);
  g_assert_cmpuint (in_sync, >=, 2 * SECONDS);
}

/* With a constant rate each picture follows the one before in that time, to the millisecond that
 * Matroska has. */
static void
check_rate (const Recording *recording)
{
  const GstClockTime *times = (const GstClockTime *) recording->times->data;

  for (guint i = 0; i < recording->times->len; i++) {
    GstClockTime wanted = times[0] + gst_util_uint64_scale (i, GST_SECOND, FRAMES);

    g_assert_cmpuint (times[i] + GST_MSECOND, >=, wanted);
    g_assert_cmpuint (times[i], <=, wanted + GST_MSECOND);
  }
}

/* Returns the age of the oldest result, ms. */
static gdouble
record (const gchar *path, const gchar *properties, guint seconds)
{
  FalServerOptions options = { .effect = "echo", .delay_ms = 100 };
  g_autofree gchar *after = g_strdup_printf (
      "videoconvert ! video/x-raw,format=GRAY8 ! queue ! matroskamux name=mux ! "
      "filesink location=%s  audiotestsrc name=sound is-live=true samplesperbuffer=%d "
      "num-buffers=%d ! audio/x-raw,format=S16LE,channels=1,rate=%d ! "
      "queue max-size-time=0 max-size-bytes=0 max-size-buffers=0 ! mux.",
      path, RATE / 100, seconds * 100, RATE);
  g_autofree gchar *before =
      g_strdup_printf ("videotestsrc name=picture is-live=true num-buffers=%d ! "
                       "video/x-raw,format=GRAY8,width=64,height=64,framerate=%d/1",
          seconds * FRAMES, FRAMES);
  g_autoptr (Pipeline) p = pipeline_new (&options, before, properties, after);
  g_autoptr (GstStructure) stats = NULL;
  gdouble age;

  pipeline_add_probe (p, "picture", mark_picture, NULL);
  pipeline_add_probe (p, "sound", mark_sound, NULL);
  pipeline_play (p);
  g_object_get (p->filter, "stats", &stats, NULL);
  g_assert_true (gst_structure_get_double (stats, "age-p99", &age));
  return age;
}

static Recording *
recording_new (void)
{
  Recording *recording = g_new0 (Recording, 1);

  for (guint i = 0; i < G_N_ELEMENTS (recording->sound); i++)
    recording->sound[i] = SILENCE;
  recording->times = g_array_new (FALSE, FALSE, sizeof (GstClockTime));
  recording->pictures = g_array_new (FALSE, FALSE, sizeof (guint));
  return recording;
}

static void
recording_free (Recording *recording)
{
  g_array_unref (recording->times);
  g_array_unref (recording->pictures);
  g_free (recording);
}

typedef struct {
  gchar *folder, *path;
} Place;

static Place
place_make (void)
{
  Place place = { g_dir_make_tmp ("gst-fal-XXXXXX", NULL) };

  place.path = g_build_filename (place.folder, "recording.mkv", NULL);
  return place;
}

static void
place_clear (Place *place)
{
  g_unlink (place->path);
  g_rmdir (place->folder);
  g_free (place->folder);
  g_free (place->path);
}

static void
test_picture_and_sound_are_in_sync (void)
{
  static const struct {
    const gchar *properties;
    gboolean finds;
  } rows[] = { { "latency=800" }, { "latency=800 throttle-interval=0" },
    { "latency-mode=auto throttle-interval=0", TRUE } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    Recording *recording = recording_new ();
    Place place = place_make ();

    g_test_message ("%s", rows[i].properties);
    record (place.path, rows[i].properties, SECONDS);
    read_recording (place.path, recording);
    check_recording (recording, rows[i].finds);
    recording_free (recording);
    place_clear (&place);
  }
}

/* At a constant rate something is shown at all times, so a result that is later than latency is
 * shown when it comes. FALSE: the machine was so busy that one was. */
static gboolean
is_in_sync (guint latency)
{
  g_autofree gchar *properties =
      g_strdup_printf ("output-framerate=%d/1 latency=%u throttle-interval=0", FRAMES, latency);
  Recording *recording = recording_new ();
  Place place = place_make ();
  gdouble age = record (place.path, properties, MOST_SECONDS);

  g_test_message ("latency=%u, results took up to %.0f ms", latency, age);
  if (age < latency) {
    read_recording (place.path, recording);
    check_recording (recording, FALSE);
    check_rate (recording);
  }
  recording_free (recording);
  place_clear (&place);
  return age < latency;
}

static void
test_pictures_at_a_constant_rate_are_in_sync (void)
{
  guint latency = 1500;

  for (guint runs = 1; !is_in_sync (latency); runs++)
    g_assert_cmpuint (runs, <, 10);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  g_test_add_func ("/recording/picture_and_sound_are_in_sync", test_picture_and_sound_are_in_sync);
  g_test_add_func ("/recording/pictures_at_a_constant_rate_are_in_sync",
      test_pictures_at_a_constant_rate_are_in_sync);
  return fixture_run ();
}
