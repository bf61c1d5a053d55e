/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What counts as a change, in scenes that are computed here: noise, flicker and drift do not, a
 * cursor does; and that the same picture has the same signature in every format. */
#include "../unreadable-memory.h"
#include "test-pictures.h"

#include <fal/image/difference.h>
#include <fal/image/encoder.h>
#include <math.h>
#include <string.h>

#define WIDTH 640
#define HEIGHT 360
/* As the main page recommends for a camera. */
#define THRESHOLD 4

static const FalArea whole;

/* ---- a scene, and what a camera makes of it ---- */

typedef struct {
  gdouble gain, offset; /* of all of it */
  gdouble noise;        /* standard deviation, in levels */
  gint x, y;            /* of the cursor; negative: there is none */
  gdouble contrast;     /* of the cursor */
} Shot;

static const Shot plain = { 1, 0, 0, -1, -1, 0 };

static gdouble lights[HEIGHT][WIDTH]; /* made once */
static gdouble noises[4096];          /* of a normal distribution with a deviation of 1, nearly */

static gdouble
find_light (gint x, gint y)
{
  gdouble light = 90 + 50 * sin (x / 97.0) * cos (y / 61.0);

  if (x > 400 && x < 520 && y > 60 && y < 300)
    light += 60; /* a window */
  if ((x / 4 + y / 4) % 2 == 0 && x < 160)
    light -= 30; /* a fine pattern */
  return light;
}

static void
make_scene (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (11);

  for (gint y = 0; y < HEIGHT; y++)
    for (gint x = 0; x < WIDTH; x++)
      lights[y][x] = find_light (x, y);
  for (guint i = 0; i < G_N_ELEMENTS (noises); i++) {
    for (guint k = 0; k < 12; k++)
      noises[i] += g_rand_double (rand);
    noises[i] -= 6;
  }
}

static gdouble
draw (GRand *rand)
{
  return noises[g_rand_int (rand) % G_N_ELEMENTS (noises)];
}

static gboolean
is_cursor (const Shot *shot, gint x, gint y)
{
  return shot->x >= 0 && x >= shot->x && x < shot->x + 12 && y >= shot->y && y < shot->y + 16;
}

static guint8
expose (const Shot *shot, gint x, gint y, GRand *rand)
{
  gdouble light = lights[y][x] + (is_cursor (shot, x, y) ? shot->contrast : 0);

  light = light * shot->gain + shot->offset + (shot->noise > 0 ? shot->noise * draw (rand) : 0);
  return CLAMP (lround (light), 0, 255);
}

static GstSample *
shoot (const Shot *shot, GRand *rand)
{
  GstVideoInfo info;
  GstBuffer *buffer;
  g_autoptr (GstCaps) caps = NULL;
  GstMapInfo map;
  GstSample *sample;

  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_GRAY8, WIDTH, HEIGHT);
  caps = gst_video_info_to_caps (&info);
  buffer = gst_buffer_new_allocate (NULL, info.size, NULL);
  gst_buffer_map (buffer, &map, GST_MAP_WRITE);
  for (gint y = 0; y < HEIGHT; y++)
    for (gint x = 0; x < WIDTH; x++)
      map.data[y * info.stride[0] + x] = expose (shot, x, y, rand);
  gst_buffer_unmap (buffer, &map);
  sample = gst_sample_new (buffer, caps, NULL, NULL);
  gst_buffer_unref (buffer);
  return sample;
}

typedef struct {
  FalDifference *difference;
  FalSignature *sent;
  GRand *rand;
} Camera;

static FalSignature *
look (Camera *camera, const Shot *shot)
{
  g_autoptr (GstSample) sample = shoot (shot, camera->rand);

  return fal_difference_reduce (camera->difference, sample, &whole);
}

static Camera
camera_new (const Shot *first)
{
  Camera camera = { fal_difference_new (), NULL, g_rand_new_with_seed (7) };

  camera.sent = look (&camera, first);
  return camera;
}

static void
camera_clear (Camera *camera)
{
  fal_difference_free (camera->difference);
  fal_signature_free (camera->sent);
  g_rand_free (camera->rand);
}

static gdouble
get_change (Camera *camera, const Shot *shot)
{
  g_autoptr (FalSignature) now = look (camera, shot);

  return fal_difference_compare (camera->difference, camera->sent, now);
}

/* As a stream is: what differs enough is sent, and others are compared with it from then on. */
static gboolean
is_sent (Camera *camera, const Shot *shot)
{
  FalSignature *now = look (camera, shot);

  if (fal_difference_compare (camera->difference, camera->sent, now) < THRESHOLD) {
    fal_signature_free (now);
    return FALSE;
  }
  fal_signature_free (camera->sent);
  camera->sent = now;
  return TRUE;
}

/* ---- what does not count ---- */

static void
test_the_same_does_not_differ (void)
{
  Camera camera = camera_new (&plain);

  g_assert_cmpfloat (get_change (&camera, &plain), ==, 0);
  camera_clear (&camera);
}

static void
test_noise_is_no_change (void)
{
  for (guint noise = 1; noise <= 8; noise *= 2) {
    const Shot noisy = { 1, 0, noise, -1, -1, 0 };
    Camera camera = camera_new (&noisy);
    gdouble most = 0;

    for (guint i = 0; i < 30; i++)
      most = MAX (most, get_change (&camera, &noisy));
    g_test_message ("noise of %u levels: %.2f", noise, most);
    g_assert_cmpfloat (most, <, 0.6 * THRESHOLD);
    camera_clear (&camera);
  }
}

static void
test_flicker_of_the_light_is_no_change (void)
{
  const Shot noisy = { 1, 0, 3, -1, -1, 0 };
  Camera camera = camera_new (&noisy);

  for (guint i = 0; i < 50; i++) {
    const Shot lit = { 1 + 0.1 * sin (i), 6 * cos (0.7 * i), 3, -1, -1, 0 };

    g_assert_cmpfloat (get_change (&camera, &lit), <, 0.75 * THRESHOLD);
  }
  camera_clear (&camera);
}

/* Automatic exposure moves on slowly, as far as it does. */
static void
test_slow_drift_is_no_change (void)
{
  const Shot noisy = { 1, 0, 2, -1, -1, 0 };
  Camera camera = camera_new (&noisy);

  for (guint i = 0; i < 50; i++) {
    const Shot lit = { 1 - 0.002 * i, 0, 2, -1, -1, 0 };

    g_assert_false (is_sent (&camera, &lit));
  }
  camera_clear (&camera);
}

/* ---- what does ---- */

/* Wherever it lies, and in noise and flicker. */
static void
test_a_cursor_that_moves_is_a_change (void)
{
  for (gint offset = 0; offset < 16; offset++) {
    const Shot before = { 1, 0, 4, 200, 100, 40 };
    const Shot after = { 1.08, 3, 4, 300 + offset, 201 + 3 * offset % 16, 40 };
    Camera camera = camera_new (&before);

    g_assert_cmpfloat (get_change (&camera, &before), <, THRESHOLD);
    g_assert_cmpfloat (get_change (&camera, &after), >, 2 * THRESHOLD);
    camera_clear (&camera);
  }
}

static void
test_a_cursor_that_moves_a_little_is_a_change (void)
{
  const Shot before = { 1, 0, 2, 200, 100, 60 }, after = { 1, 0, 2, 204, 100, 60 };
  Camera camera = camera_new (&before);

  g_assert_cmpfloat (get_change (&camera, &after), >, THRESHOLD);
  camera_clear (&camera);
}

static void
test_a_cursor_that_comes_and_goes_is_a_change (void)
{
  const Shot with = { 1, 0, 2, 37, 333, -40 };
  Camera camera = camera_new (&plain);

  g_assert_true (is_sent (&camera, &with));
  g_assert_false (is_sent (&camera, &with));
  g_assert_true (is_sent (&camera, &plain));
  camera_clear (&camera);
}

/* What appears so slowly that no two frames differ is seen all the same. */
static void
test_slow_change_adds_up (void)
{
  const Shot noisy = { 1, 0, 2, -1, -1, 0 };
  Camera camera = camera_new (&noisy);
  guint sent = 0;

  for (guint i = 0; i < 100; i++) {
    const Shot shot = { 1, 0, 2, 300, 200, 0.5 * i };

    sent += is_sent (&camera, &shot);
  }
  g_assert_cmpuint (sent, >, 2);
  g_assert_cmpuint (sent, <, 15);
  camera_clear (&camera);
}

/* More than lamps and exposure do is a change, and what goes on and on adds up to one. */
static void
test_a_fade_is_a_change (void)
{
  const Shot noisy = { 1, 0, 2, -1, -1, 0 };
  Camera camera = camera_new (&noisy);
  const Shot dark = { 0.5, 0, 2, -1, -1, 0 };
  guint sent = 0;

  g_assert_cmpfloat (get_change (&camera, &dark), >, 2 * THRESHOLD);
  for (guint i = 0; i <= 100; i++) {
    const Shot fading = { 1 - i / 100.0, 0, 2, -1, -1, 0 };

    sent += is_sent (&camera, &fading);
  }
  g_assert_cmpuint (sent, >=, 3);
  g_assert_cmpuint (sent, <, 20);
  camera_clear (&camera);
}

/* Half of the picture in a shadow is no flicker of the light. */
static void
test_a_shadow_is_a_change (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (1);
  g_autoptr (FalDifference) difference = fal_difference_new ();
  g_autoptr (GstSample) before = shoot (&plain, rand), after = shoot (&plain, rand);
  g_autoptr (FalSignature) one = fal_difference_reduce (difference, before, &whole);
  g_autoptr (FalSignature) two = NULL;
  GstMapInfo map;

  gst_buffer_map (gst_sample_get_buffer (after), &map, GST_MAP_WRITE);
  for (gsize i = 0; i < map.size / 2; i++)
    map.data[i] -= map.data[i] / 8;
  gst_buffer_unmap (gst_sample_get_buffer (after), &map);
  two = fal_difference_reduce (difference, after, &whole);
  g_assert_cmpfloat (fal_difference_compare (difference, one, two), >, THRESHOLD);
}

/* ---- formats ---- */

/* Neither side of it is a whole number of blocks. */
#define SMALL_WIDTH 84
#define SMALL_HEIGHT 54

static GstSample *
paint (GstVideoInfo *info)
{
  g_autoptr (GstCaps) caps = NULL;
  g_autoptr (GstBuffer) buffer = NULL;
  GstMapInfo map;

  gst_video_info_set_format (info, GST_VIDEO_FORMAT_ARGB, SMALL_WIDTH, SMALL_HEIGHT);
  caps = gst_video_info_to_caps (info);
  buffer = gst_buffer_new_allocate (NULL, info->size, NULL);
  gst_buffer_map (buffer, &map, GST_MAP_WRITE);
  for (gint y = 0; y < SMALL_HEIGHT; y++)
    for (gint x = 0; x < SMALL_WIDTH; x++) {
      guint8 *pixel = map.data + y * info->stride[0] + 4 * x;

      pixel[0] = 255;
      pixel[1] = 20 + 2 * x;
      pixel[2] = 30 + 3 * y;
      pixel[3] = 90 + x / 2 + y / 2;
    }
  gst_buffer_unmap (buffer, &map);
  return gst_sample_new (buffer, caps, NULL, NULL);
}

static GstSample *
convert (GstSample *sample, const GstVideoInfo *from, GstVideoFormat format)
{
  GstVideoInfo to;
  g_autoptr (GstBuffer) buffer = NULL;
  g_autoptr (GstCaps) caps = NULL;
  GstVideoFrame in, out;
  GstVideoConverter *converter;

  gst_video_info_set_format (&to, format, SMALL_WIDTH, SMALL_HEIGHT);
  caps = gst_video_info_to_caps (&to);
  buffer = gst_buffer_new_allocate (NULL, to.size, NULL);
  gst_buffer_memset (buffer, 0, 0, to.size);
  converter = gst_video_converter_new (from, &to,
      gst_structure_new ("GstVideoConverter", GST_VIDEO_CONVERTER_OPT_DITHER_METHOD,
          GST_TYPE_VIDEO_DITHER_METHOD, GST_VIDEO_DITHER_NONE, NULL));
  g_assert_true (gst_video_frame_map (&in, from, gst_sample_get_buffer (sample), GST_MAP_READ));
  g_assert_true (gst_video_frame_map (&out, &to, buffer, GST_MAP_WRITE));
  gst_video_converter_frame (converter, &in, &out);
  gst_video_frame_unmap (&in);
  gst_video_frame_unmap (&out);
  gst_video_converter_free (converter);
  return gst_sample_new (buffer, caps, NULL, NULL);
}

/* How far a mean may be off by the coarseness of the format. */
static gdouble
get_tolerance (const GstVideoFormatInfo *format)
{
  if (GST_VIDEO_FORMAT_INFO_HAS_PALETTE (format))
    return 40;
  if (GST_VIDEO_FORMAT_INFO_IS_RGB (format) && GST_VIDEO_FORMAT_INFO_DEPTH (format, 0) < 8)
    return 6;
  return 2;
}

static gboolean
are_alike (const FalSignature *one, const FalSignature *other, gdouble tolerance)
{
  for (gint row = 0; row < (SMALL_HEIGHT + 7) / 8; row++)
    for (gint column = 0; column < (SMALL_WIDTH + 7) / 8; column++)
      if (fabs (fal_signature_get_mean (one, column, row) -
                fal_signature_get_mean (other, column, row)) > tolerance)
        return FALSE;
  return TRUE;
}

/* Whether GStreamer itself makes of @sample what it was made of: 1.28 does not with MT2110R. */
static gboolean
comes_back (FalDifference *difference, GstSample *sample, const FalSignature *wanted)
{
  gdouble tolerance;
  GstVideoInfo info;
  g_autoptr (GstSample) back = NULL;
  g_autoptr (FalSignature) got = NULL;

  g_assert_true (gst_video_info_from_caps (&info, gst_sample_get_caps (sample)));
  tolerance = get_tolerance (info.finfo);
  back = convert (sample, &info, GST_VIDEO_FORMAT_ARGB);
  got = fal_difference_reduce (difference, back, &whole);
  return are_alike (got, wanted, tolerance);
}

/* FALSE: nothing can be said of that format. */
static gboolean
check_format (GstSample *source, const GstVideoInfo *info, GstVideoFormat format)
{
  g_autoptr (FalDifference) difference = fal_difference_new ();
  g_autoptr (GstSample) sample = convert (source, info, format);
  g_autoptr (FalSignature) wanted = fal_difference_reduce (difference, source, &whole);
  g_autoptr (FalSignature) got = fal_difference_reduce (difference, sample, &whole);
  gboolean alike;

  g_assert_nonnull (got);
  alike = are_alike (got, wanted, get_tolerance (gst_video_format_get_info (format)));
  g_test_message ("%s: %s", gst_video_format_to_string (format), alike ? "alike" : "not alike");
  if (!alike && !comes_back (difference, sample, wanted))
    return FALSE;
  g_assert_true (alike);
  g_assert_cmpfloat (fal_difference_compare (difference, got, got), ==, 0);
  g_assert_cmpfloat (fal_difference_compare (difference, got, wanted), ==,
      format == GST_VIDEO_FORMAT_ARGB ? 0 : G_MAXDOUBLE);
  return TRUE;
}

/* The means of the source by a loop that nobody made fast. */
static void
test_means_are_those_of_every_other_row (void)
{
  g_autoptr (FalDifference) difference = fal_difference_new ();
  GstVideoInfo info;
  g_autoptr (GstSample) source = paint (&info);
  g_autoptr (FalSignature) signature = fal_difference_reduce (difference, source, &whole);
  gdouble sum = 0;

  for (gint y = 16; y < 24; y += 2)
    for (gint x = 8; x < 16; x++)
      sum += 0.299 * (20 + 2 * x) + 0.587 * (30 + 3 * y) + 0.114 * (90 + x / 2 + y / 2);
  g_assert_cmpfloat_with_epsilon (fal_signature_get_mean (signature, 1, 2), sum / 32, 0.5);
  g_assert_cmpfloat (fal_signature_get_mean (signature, 11, 2), <, 0);
}

static void
test_all_formats_have_the_same_signature (void)
{
  g_auto (GValue) list = G_VALUE_INIT;
  GstVideoInfo info;
  g_autoptr (GstSample) source = paint (&info);
  guint unknown = 0;

  g_value_init (&list, GST_TYPE_LIST);
  g_assert_true (gst_value_deserialize (&list, GST_VIDEO_FORMATS_ALL));
  g_assert_cmpuint (gst_value_list_get_size (&list), >, 50);
  for (guint i = 0; i < gst_value_list_get_size (&list); i++) {
    const GValue *name = gst_value_list_get_value (&list, i);

    if (!check_format (source, &info, gst_video_format_from_string (g_value_get_string (name))))
      unknown++;
  }
  g_assert_cmpuint (unknown, <=, 2);
}

/* Of @area of the frame by itself. */
static GstSample *
cut_out (GstSample *sample, const GstVideoInfo *info, const FalArea *area)
{
  GstVideoInfo small;
  g_autoptr (GstCaps) caps = NULL;
  g_autoptr (GstBuffer) buffer = NULL;
  GstMapInfo from, to;

  gst_video_info_set_format (&small, GST_VIDEO_FORMAT_ARGB, area->width, area->height);
  caps = gst_video_info_to_caps (&small);
  buffer = gst_buffer_new_allocate (NULL, small.size, NULL);
  gst_buffer_map (gst_sample_get_buffer (sample), &from, GST_MAP_READ);
  gst_buffer_map (buffer, &to, GST_MAP_WRITE);
  for (gint y = 0; y < area->height; y++)
    memcpy (to.data + y * small.stride[0],
        from.data + (area->y + y) * info->stride[0] + 4 * area->x, 4 * area->width);
  gst_buffer_unmap (gst_sample_get_buffer (sample), &from);
  gst_buffer_unmap (buffer, &to);
  return gst_sample_new (buffer, caps, NULL, NULL);
}

static void
check_part (GstSample *source, const GstVideoInfo *info, GstVideoFormat format, const FalArea *area)
{
  g_autoptr (FalDifference) difference = fal_difference_new (), other = fal_difference_new ();
  g_autoptr (GstSample) sample = convert (source, info, format);
  g_autoptr (GstSample) alone = cut_out (source, info, area);
  g_autoptr (FalSignature) got = fal_difference_reduce (difference, sample, area);
  g_autoptr (FalSignature) wanted = fal_difference_reduce (other, alone, &whole);
  g_autoptr (FalSignature) all = fal_difference_reduce (difference, sample, &whole);
  g_autoptr (FalSignature) source_signature = fal_difference_reduce (difference, source, &whole);
  gdouble tolerance = get_tolerance (gst_video_format_get_info (format));

  g_test_message ("%s", gst_video_format_to_string (format));
  g_assert_nonnull (got);
  if (!comes_back (difference, sample, source_signature))
    return;
  g_assert_cmpint (fal_signature_get_part (got)->width, ==, area->width);
  for (gint row = 0; row < (area->height + 7) / 8; row++)
    for (gint column = 0; column < (area->width + 7) / 8; column++)
      g_assert_cmpfloat_with_epsilon (fal_signature_get_mean (got, column, row),
          fal_signature_get_mean (wanted, column, row), tolerance);
  g_assert_cmpfloat (fal_signature_get_mean (got, (area->width + 7) / 8, 0), <, 0);
  g_assert_cmpfloat (fal_difference_compare (difference, got, got), ==, 0);
  g_assert_cmpfloat (fal_difference_compare (difference, got, all), ==, G_MAXDOUBLE);
}

/* Wherever it begins, and however large it is. */
static void
test_a_part_is_looked_at_alone (void)
{
  static const FalArea areas[] = { { 13, 11, 37, 27 }, { 0, 0, 84, 54 }, { 67, 37, 17, 17 },
    { 16, 8, 40, 40 } };
  g_auto (GValue) list = G_VALUE_INIT;
  GstVideoInfo info;
  g_autoptr (GstSample) source = paint (&info);

  g_value_init (&list, GST_TYPE_LIST);
  g_assert_true (gst_value_deserialize (&list, GST_VIDEO_FORMATS_ALL));
  for (guint i = 0; i < gst_value_list_get_size (&list); i++)
    for (guint k = 0; k < G_N_ELEMENTS (areas); k++)
      check_part (source, &info,
          gst_video_format_from_string (g_value_get_string (gst_value_list_get_value (&list, i))),
          &areas[k]);
}

static void
test_a_part_outside_of_the_frame_is_always_new (void)
{
  const FalArea outside = { SMALL_WIDTH, 0, 10, 10 };
  g_autoptr (FalDifference) difference = fal_difference_new ();
  GstVideoInfo info;
  g_autoptr (GstSample) source = paint (&info);

  g_assert_null (fal_difference_reduce (difference, source, &outside));
}

/* Each size up to a few blocks, so that no row is read beyond its end. */
static void
test_any_size_is_reduced (void)
{
  g_autoptr (FalDifference) difference = fal_difference_new ();

  for (gint size = 1; size <= 40; size++) {
    GstVideoInfo info;
    g_autoptr (GstCaps) caps = NULL;
    g_autoptr (GstBuffer) buffer = NULL;
    g_autoptr (GstSample) sample = NULL;
    g_autoptr (FalSignature) signature = NULL;

    gst_video_info_set_format (
        &info, size % 2 ? GST_VIDEO_FORMAT_I420 : GST_VIDEO_FORMAT_RGB, size, 41 - size);
    caps = gst_video_info_to_caps (&info);
    buffer = gst_buffer_new_allocate (NULL, info.size, NULL);
    gst_buffer_memset (buffer, 0, 128, info.size);
    sample = gst_sample_new (buffer, caps, NULL, NULL);
    signature = fal_difference_reduce (difference, sample, &whole);
    g_assert_nonnull (signature);
    for (gint x = 0; x < (size + 7) / 8; x++)
      for (gint y = 0; y < (48 - size) / 8; y++)
        g_assert_cmpfloat_with_epsilon (
            fal_signature_get_mean (signature, x, y), size % 2 ? 130.4 : 128, 0.5);
  }
}

static void
test_a_frame_that_cannot_be_read_is_always_new (void)
{
  g_autoptr (FalDifference) difference = fal_difference_new ();
  g_autoptr (GstCaps) caps =
      gst_caps_from_string ("video/x-raw,format=I420,width=64,height=64,framerate=30/1");
  g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, 100, NULL);
  g_autoptr (GstSample) sample = gst_sample_new (buffer, caps, NULL, NULL);
  g_autoptr (FalSignature) signature = fal_difference_reduce (difference, sample, &whole);

  g_assert_null (signature);
  g_assert_cmpfloat (fal_difference_compare (difference, NULL, NULL), ==, G_MAXDOUBLE);
}

static void
test_what_is_no_frame_has_no_signature (void)
{
  static const gchar *const texts[] = { "video/x-raw,format=I420,width=0,height=64",
    "video/x-raw,format=I420,width=64,height=0", "video/x-raw,width=64,height=64",
    "video/x-raw(format:Interlaced),format=I420,width=64,height=64,interlace-mode=alternate",
    "video/x-raw,format=ENCODED,width=64,height=64" };
  g_autoptr (FalDifference) difference = fal_difference_new ();
  g_autoptr (GstCaps) raw = gst_caps_from_string ("video/x-raw,format=I420,width=64,height=64");
  g_autoptr (GstCaps) picture = gst_caps_from_string ("image/jpeg"), none = gst_caps_new_empty ();
  g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, 64 * 64 * 4, NULL);
  g_autoptr (GstBuffer) unreadable = unreadable_buffer_new (64 * 64 * 4);
  g_autoptr (GstSample) without_caps = gst_sample_new (buffer, NULL, NULL, NULL);
  g_autoptr (GstSample) with_empty_caps = gst_sample_new (buffer, none, NULL, NULL);
  g_autoptr (GstSample) without_buffer = gst_sample_new (NULL, raw, NULL, NULL);
  g_autoptr (GstSample) unreadable_frame = gst_sample_new (unreadable, raw, NULL, NULL);
  g_autoptr (GstSample) unreadable_picture = gst_sample_new (unreadable, picture, NULL, NULL);
  GstSample *samples[] = { without_caps, with_empty_caps, without_buffer, unreadable_frame,
    unreadable_picture };

  for (guint i = 0; i < G_N_ELEMENTS (samples); i++)
    g_assert_null (fal_difference_reduce (difference, samples[i], &whole));
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (GstCaps) caps = gst_caps_from_string (texts[i]);
    g_autoptr (GstSample) sample = gst_sample_new (buffer, caps, NULL, NULL);

    g_test_message ("%s", texts[i]);
    g_assert_null (fal_difference_reduce (difference, sample, &whole));
  }
}

static void
test_only_what_is_of_the_same_place_is_compared (void)
{
  const FalArea left = { 0, 0, 320, 360 }, right = { 320, 0, 320, 360 };
  g_autoptr (FalDifference) difference = fal_difference_new ();
  g_autoptr (GstSample) sample = shoot (&plain, NULL);
  g_autoptr (FalSignature) all = fal_difference_reduce (difference, sample, &whole);
  g_autoptr (FalSignature) one = fal_difference_reduce (difference, sample, &left);
  g_autoptr (FalSignature) other = fal_difference_reduce (difference, sample, &right);

  g_assert_cmpfloat (fal_difference_compare (difference, all, NULL), ==, G_MAXDOUBLE);
  g_assert_cmpfloat (fal_difference_compare (difference, NULL, all), ==, G_MAXDOUBLE);
  g_assert_cmpfloat (fal_difference_compare (difference, one, other), ==, G_MAXDOUBLE);
  g_assert_cmpfloat (fal_difference_compare (difference, all, all), ==, 0);
  g_assert_cmpfloat (fal_signature_get_mean (all, 0, 0), >=, 0);
  g_assert_cmpfloat (fal_signature_get_mean (all, -1, 0), <, 0);
  g_assert_cmpfloat (fal_signature_get_mean (all, 0, -1), <, 0);
  g_assert_cmpfloat (fal_signature_get_mean (all, WIDTH, 0), <, 0);
  g_assert_cmpfloat (fal_signature_get_mean (all, 0, HEIGHT), <, 0);
}

/* ---- picture files ---- */

static GstSample *
wrap (GBytes *bytes, const gchar *type)
{
  g_autoptr (GstCaps) caps = gst_caps_new_empty_simple (type);
  g_autoptr (GstBuffer) buffer = gst_buffer_new_wrapped_bytes (bytes);

  return gst_sample_new (buffer, caps, NULL, NULL);
}

static GstSample *
shoot_jpeg (const Shot *shot, GRand *rand)
{
  const FalEncoderConfig config = { .quality = 85 };
  g_autoptr (GstSample) sample = shoot (shot, rand);
  g_autoptr (FalEncoder) encoder = fal_encoder_new ();
  const gchar *type;
  g_autoptr (GBytes) jpeg = fal_encoder_encode (encoder, sample, &config, &type, NULL, NULL);

  g_assert_nonnull (jpeg);
  return wrap (jpeg, type);
}

/* Its means are those of the frame that was compressed. */
static void
test_a_jpeg_is_compared_like_a_frame (void)
{
  g_autoptr (FalDifference) difference = fal_difference_new ();
  g_autoptr (GRand) rand = g_rand_new_with_seed (3);
  const Shot noisy = { 1, 0, 3, 200, 100, 60 }, again = { 1.05, 0, 3, 200, 100, 60 };
  const Shot moved = { 1, 0, 3, 260, 140, 60 };
  g_autoptr (GstSample) one = shoot_jpeg (&noisy, rand), two = shoot_jpeg (&again, rand);
  g_autoptr (GstSample) three = shoot_jpeg (&moved, rand), raw = shoot (&noisy, rand);
  g_autoptr (FalSignature) a = fal_difference_reduce (difference, one, &whole);
  g_autoptr (FalSignature) b = fal_difference_reduce (difference, two, &whole);
  g_autoptr (FalSignature) c = fal_difference_reduce (difference, three, &whole);
  g_autoptr (FalSignature) d = fal_difference_reduce (difference, raw, &whole);

  g_assert_cmpfloat_with_epsilon (
      fal_signature_get_mean (a, 60, 20), fal_signature_get_mean (d, 60, 20), 3);
  g_assert_cmpfloat (fal_difference_compare (difference, a, b), <, THRESHOLD);
  g_assert_cmpfloat (fal_difference_compare (difference, a, c), >, 2 * THRESHOLD);
}

static gdouble
compare_parts (GstSample *one, GstSample *two, const FalArea *part)
{
  g_autoptr (FalDifference) difference = fal_difference_new ();
  g_autoptr (FalSignature) a = fal_difference_reduce (difference, one, part);
  g_autoptr (FalSignature) b = fal_difference_reduce (difference, two, part);

  return fal_difference_compare (difference, a, b);
}

static void
test_a_part_of_a_jpeg_is_looked_at_alone (void)
{
  const Shot cursor = { 1, 0, 0, 203, 101, 60 };
  const FalArea around = { 197, 99, 30, 20 }, beside = { 227, 99, 100, 61 };
  const FalArea outside = { WIDTH, 0, 8, 8 };
  g_autoptr (GRand) rand = g_rand_new_with_seed (1);
  g_autoptr (GstSample) one = shoot_jpeg (&plain, rand), two = shoot_jpeg (&cursor, rand);

  g_assert_cmpfloat (compare_parts (one, two, &around), >, THRESHOLD);
  g_assert_cmpfloat (compare_parts (one, two, &beside), <, 1);
  g_assert_cmpfloat (compare_parts (one, two, &outside), ==, G_MAXDOUBLE);
}

static void
test_other_pictures_are_compared_byte_by_byte (void)
{
  g_autoptr (FalDifference) difference = fal_difference_new ();
  g_autoptr (GBytes) bytes = g_bytes_new_static ("\x89PNG\r\n\x1a\n and so on", 18);
  g_autoptr (GBytes) others = g_bytes_new_static ("\x89PNG\r\n\x1a\n and so off", 19);
  g_autoptr (GstSample) one = wrap (bytes, "image/png"), two = wrap (bytes, "image/png");
  g_autoptr (GstSample) three = wrap (others, "image/png");
  g_autoptr (FalSignature) a = fal_difference_reduce (difference, one, &whole);
  g_autoptr (FalSignature) b = fal_difference_reduce (difference, two, &whole);
  g_autoptr (FalSignature) c = fal_difference_reduce (difference, three, &whole);

  g_assert_cmpfloat (fal_difference_compare (difference, a, b), ==, 0);
  g_assert_cmpfloat (fal_difference_compare (difference, a, c), ==, G_MAXDOUBLE);
}

typedef enum { USUAL, HUGE_SIDES, MANY_SCANS, NO_SCAN, N_COSTS } Cost;

/* As @jpeg, but for what decoding it would cost, with @tail behind its end. */
static GstSample *
shoot_costly (GstSample *jpeg, Cost cost, guint8 tail)
{
  static const guint8 scan[] = { 0xff, 0xda, 0, 8, 1, 1, 0, 0, 0x3f, 0 }, end[] = { 0xff, 0xd9 };
  GByteArray *data = g_byte_array_new ();
  g_autoptr (GBytes) bytes = NULL;
  GstMapInfo map;
  gsize at = 0;

  g_assert_true (gst_buffer_map (gst_sample_get_buffer (jpeg), &map, GST_MAP_READ));
  g_byte_array_append (data, map.data, map.size - sizeof end);
  gst_buffer_unmap (gst_sample_get_buffer (jpeg), &map);
  while (data->data[at] != 0xff || data->data[at + 1] != (cost == NO_SCAN ? 0xda : 0xc0))
    at++;
  if (cost == HUGE_SIDES)
    data->data[at + 5] = data->data[at + 7] = 12000 >> 8;
  if (cost == NO_SCAN)
    g_byte_array_set_size (data, at);
  for (guint i = 0; cost == MANY_SCANS && i < 500; i++)
    g_byte_array_append (data, scan, sizeof scan);
  g_byte_array_append (data, end, sizeof end);
  g_byte_array_append (data, &tail, 1);
  bytes = g_byte_array_free_to_bytes (data);
  return wrap (bytes, "image/jpeg");
}

/* What stands behind the end of a picture is no change, unless nothing but its bytes is looked at.
 */
static void
test_a_jpeg_that_costs_much_is_compared_byte_by_byte (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (7);
  g_autoptr (GstSample) jpeg = shoot_jpeg (&plain, rand);

  for (Cost cost = USUAL; cost < N_COSTS; cost++) {
    g_autoptr (GstSample) one = shoot_costly (jpeg, cost, 1), two = shoot_costly (jpeg, cost, 1);
    g_autoptr (GstSample) other = shoot_costly (jpeg, cost, 2);

    g_test_message ("cost %u", cost);
    g_assert_cmpfloat (compare_parts (one, two, &whole), ==, 0);
    g_assert_cmpfloat (compare_parts (one, other, &whole), ==, cost == USUAL ? 0 : G_MAXDOUBLE);
  }
}

/* The caps of picture files need not say their size. */
static void
test_jpegs_of_other_sizes_are_not_compared (void)
{
  static const gint sizes[][2] = { { 64, 64 }, { 128, 64 }, { 64, 128 } };
  static const Colour grey = { "grey", 128, 128, 128 };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_autoptr (GBytes) first = plain_jpeg (64, 64, &grey, 0);
    g_autoptr (GBytes) second = plain_jpeg (sizes[i][0], sizes[i][1], &grey, 0);
    g_autoptr (GstSample) one = wrap (first, "image/jpeg"), two = wrap (second, "image/jpeg");

    g_assert_cmpfloat (compare_parts (one, two, &whole), ==, i == 0 ? 0 : G_MAXDOUBLE);
  }
}

/* What is read as numbers of two bytes; other formats are read wherever they lie. */
static void
test_wide_samples_at_odd_addresses_are_always_new (void)
{
  static const gchar *const formats[] = { "GRAY8", "GRAY16_LE" };
  g_autoptr (FalDifference) difference = fal_difference_new ();

  for (guint wide = 0; wide < 2; wide++) {
    for (guint odd = 0; odd < 2; odd++) {
      g_autoptr (GstCaps) caps = gst_caps_new_simple ("video/x-raw", "format", G_TYPE_STRING,
          formats[wide], "width", G_TYPE_INT, 64, "height", G_TYPE_INT, 64, NULL);
      gsize size = 64 * 64 * (wide + 1);
      g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, size + 1, NULL);
      g_autoptr (GstSample) sample = NULL;
      g_autoptr (FalSignature) signature = NULL;

      gst_buffer_memset (buffer, 0, 0, -1);
      gst_buffer_resize (buffer, odd, size);
      sample = gst_sample_new (buffer, caps, NULL, NULL);
      signature = fal_difference_reduce (difference, sample, &whole);
      g_assert_cmpint (signature == NULL, ==, wide && odd);
    }
  }
}

/* Whatever a JPEG's data is, nothing but another signature comes of it. */
static void
test_a_broken_jpeg_does_no_harm (void)
{
  g_autoptr (FalDifference) difference = fal_difference_new ();
  g_autoptr (GRand) rand = g_rand_new_with_seed (5);
  g_autoptr (GstSample) jpeg = shoot_jpeg (&plain, rand);
  GstMapInfo map;

  gst_buffer_map (gst_sample_get_buffer (jpeg), &map, GST_MAP_READ);
  for (gsize size = 1; size < map.size; size += 97) {
    g_autofree guint8 *data = g_memdup2 (map.data, size);
    g_autoptr (GBytes) bytes = NULL;
    g_autoptr (GstSample) sample = NULL;
    g_autoptr (FalSignature) signature = NULL;

    data[g_rand_int_range (rand, 0, size)] ^= g_rand_int (rand);
    bytes = g_bytes_new (data, size);
    sample = wrap (bytes, "image/jpeg");
    signature = fal_difference_reduce (difference, sample, &whole);
    g_assert_nonnull (signature);
  }
  gst_buffer_unmap (gst_sample_get_buffer (jpeg), &map);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  make_scene ();
#define TEST(name) g_test_add_func ("/difference/" #name, test_##name)
  TEST (the_same_does_not_differ);
  TEST (noise_is_no_change);
  TEST (flicker_of_the_light_is_no_change);
  TEST (slow_drift_is_no_change);
  TEST (a_cursor_that_moves_is_a_change);
  TEST (a_cursor_that_moves_a_little_is_a_change);
  TEST (a_cursor_that_comes_and_goes_is_a_change);
  TEST (slow_change_adds_up);
  TEST (a_fade_is_a_change);
  TEST (a_shadow_is_a_change);
  TEST (means_are_those_of_every_other_row);
  TEST (all_formats_have_the_same_signature);
  TEST (a_part_is_looked_at_alone);
  TEST (a_part_outside_of_the_frame_is_always_new);
  TEST (any_size_is_reduced);
  TEST (a_frame_that_cannot_be_read_is_always_new);
  TEST (what_is_no_frame_has_no_signature);
  TEST (only_what_is_of_the_same_place_is_compared);
  TEST (a_jpeg_is_compared_like_a_frame);
  TEST (a_part_of_a_jpeg_is_looked_at_alone);
  TEST (other_pictures_are_compared_byte_by_byte);
  TEST (a_broken_jpeg_does_no_harm);
  TEST (a_jpeg_that_costs_much_is_compared_byte_by_byte);
  TEST (jpegs_of_other_sizes_are_not_compared);
  TEST (wide_samples_at_odd_addresses_are_always_new);
  return g_test_run ();
}
