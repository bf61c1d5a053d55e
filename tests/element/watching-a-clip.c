/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A recorded webcam, a person who talks and sits still: what is sent with the threshold that the
 * README recommends is held against the pixels themselves. */
#include "pipeline-fixture.h"

#include <math.h>
#include <stdlib.h>

#define CLIP "/usr/share/forensics-samples/original-files/movie2/movie-hello.mp4"
#define WIDTH 256
#define HEIGHT 192
#define STEP 8
#define BLOCK 16
#define COLUMNS ((WIDTH - BLOCK) / STEP + 1)
#define ROWS ((HEIGHT - BLOCK) / STEP + 1)

/* The threshold is 4, and up to 3 levels count as noise: what is between is nobody's
 * fault. */
#define STILL 2
#define MOVED 8

/* All that the camera showed, and what came back of it. */
typedef struct {
  GPtrArray *frames; /* GBytes: their luma */
  GArray *times;     /* GstClockTime */
  GArray *results;   /* the same */
} Record;

static GstPadProbeReturn
note_frame (GstPad *pad, GstPadProbeInfo *info, gpointer user)
{
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  Record *record = user;
  gpointer data;
  gsize size;

  gst_buffer_extract_dup (buffer, 0, WIDTH * HEIGHT, &data, &size);
  g_assert_cmpuint (size, ==, WIDTH * HEIGHT);
  g_ptr_array_add (record->frames, g_bytes_new_take (data, size));
  g_array_append_val (record->times, GST_BUFFER_PTS (buffer));
  return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn
note_result (GstPad *pad, GstPadProbeInfo *info, gpointer user)
{
  Record *record = user;

  g_array_append_val (record->results, GST_BUFFER_PTS (GST_PAD_PROBE_INFO_BUFFER (info)));
  return GST_PAD_PROBE_OK;
}

static gdouble
get_mean (const guint8 *frame, gint column, gint row)
{
  guint sum = 0;

  for (gint y = row * STEP; y < row * STEP + BLOCK; y++)
    for (gint x = column * STEP; x < column * STEP + BLOCK; x++)
      sum += frame[y * WIDTH + x];
  return (gdouble) sum / (BLOCK * BLOCK);
}

static int
compare (gconstpointer a, gconstpointer b)
{
  gdouble one = *(const gdouble *) a, other = *(const gdouble *) b;

  return (one > other) - (one < other);
}

/* By how many levels the most changed block differs, and by how many it does so where what most of
 * the picture does is no change. */
static void
measure (GBytes *before, GBytes *after, gdouble *most, gdouble *alone)
{
  const guint8 *a = g_bytes_get_data (before, NULL), *b = g_bytes_get_data (after, NULL);
  gdouble changes[COLUMNS * ROWS];
  guint n = 0;

  for (gint row = 0; row < ROWS; row++)
    for (gint column = 0; column < COLUMNS; column++)
      changes[n++] = get_mean (b, column, row) - get_mean (a, column, row);
  qsort (changes, n, sizeof *changes, compare);
  *most = MAX (fabs (changes[0]), fabs (changes[n - 1]));
  *alone = MAX (fabs (changes[0] - changes[n / 2]), fabs (changes[n - 1] - changes[n / 2]));
}

/* Each frame against the one that was sent last. */
static void
check (const Record *record)
{
  GBytes *last = NULL;
  guint sent = 0, still = 0, moved = 0;

  for (guint i = 0; i < record->frames->len; i++) {
    GBytes *frame = record->frames->pdata[i];
    gboolean went =
        sent < record->results->len && g_array_index (record->results, GstClockTime, sent) ==
                                           g_array_index (record->times, GstClockTime, i);
    gdouble most = G_MAXDOUBLE, alone = G_MAXDOUBLE;

    if (last != NULL)
      measure (last, frame, &most, &alone);
    if (most < STILL && went)
      g_error ("frame %u was sent, and differs by %.1f levels", i, most);
    if (alone > MOVED && !went)
      g_error ("frame %u was not sent, and differs by %.1f levels", i, alone);
    still += most < STILL;
    moved += alone > MOVED && last != NULL;
    sent += went;
    last = went ? frame : last;
  }
  g_test_message ("%u frames, of which %u were sent, %u moved for certain and %u were still",
      record->frames->len, sent, moved, still);
  g_assert_cmpuint (sent, ==, record->results->len);
  g_assert_cmpuint (still, >, 20);
  g_assert_cmpuint (moved, >, 20);
}

static void
test_what_moves_is_sent_and_what_does_not_is_not (void)
{
  g_autoptr (Pipeline) p = NULL;
  g_autoptr (GstElementFactory) decoder = gst_element_factory_find ("avdec_h264");
  Record record = { g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref),
    g_array_new (FALSE, FALSE, sizeof (GstClockTime)),
    g_array_new (FALSE, FALSE, sizeof (GstClockTime)) };

  if (decoder == NULL || !g_file_test (CLIP, G_FILE_TEST_EXISTS)) {
    g_test_skip ("needs gstreamer1.0-libav and forensics-samples-files");
    return;
  }
  p = pipeline_new (NULL,
      "filesrc location=" CLIP " ! decodebin ! videoconvert ! "
      "videocrop left=110 top=76 right=914 bottom=452 ! "
      "video/x-raw,format=I420,width=256,height=192 ! identity name=source",
      "change-threshold=4 throttle-interval=0", "fakesink name=sink");
  pipeline_add_probe (p, "source", note_frame, &record);
  pipeline_add_probe (p, "fal", note_result, &record);
  pipeline_play (p);
  check (&record);
  g_ptr_array_unref (record.frames);
  g_array_unref (record.times);
  g_array_unref (record.results);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  g_test_add_func ("/watching-a-clip/what_moves_is_sent_and_what_does_not_is_not",
      test_what_moves_is_sent_and_what_does_not_is_not);
  return fixture_run ();
}
