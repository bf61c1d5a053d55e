/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is made of frames and results: which of them is seen, in which caps, and what is shown where
 * a result cannot be read. Frames are red, the background is blue; a matte is white, black or
 * broken. */
#include "../image/test-pictures.h"
#include "fal/session/compositor.h"

#include <gio/gio.h>

#define SIZE 64
/* One of colours that were a JPEG, or were converted to YUV and back. */
#define NEAR 4

typedef struct {
  FalCompositor *compositor;
  FalCompositorConfig config;
  GstSample *frame;
  GBytes *white, *black, *broken;
  GError *error;
} Fixture;

static void
set_up (Fixture *f)
{
  *f = (Fixture){
    .compositor = fal_compositor_new (),
    .config = {
      .overlay = { .mode = FAL_COMPOSITE_MATTE_OVER, .background = { .argb = 0xff0000ff } },
      .allowed = gst_caps_from_string ("video/x-raw"),
      .max_pixels = 1 << 20,
    },
    .frame = plain_sample ("RGBx", SIZE, SIZE, ",framerate=30/1", &jfif, RED),
    .white = plain_jpeg (SIZE, SIZE, WHITE, 0),
    .black = plain_jpeg (SIZE, SIZE, BLACK, 0),
    .broken = g_bytes_new_static ("no picture", 10),
  };
}

static void
tear_down (Fixture *f)
{
  fal_compositor_free (f->compositor);
  gst_caps_unref (f->config.allowed);
  gst_sample_unref (f->frame);
  g_bytes_unref (f->white);
  g_bytes_unref (f->black);
  g_bytes_unref (f->broken);
  g_clear_error (&f->error);
}

static FalFrame *
make_frame (GstSample *sample)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  return fal_frame_new (
      gst_sample_new (gst_sample_get_buffer (sample), gst_sample_get_caps (sample), &segment, NULL),
      0);
}

static FalResult *
make_result (Fixture *f, FalResultKind kind, GBytes *picture)
{
  FalResult *result = g_new0 (FalResult, 1);

  *result = (FalResult) {
    .kind = kind,
    .frame = make_frame (f->frame),
    .sample = gst_sample_ref (f->frame),
    .picture = picture ? g_bytes_ref (picture) : NULL,
  };
  return result;
}

static FalLayerSource *
make_source (GBytes *picture)
{
  const FalLayout whole = { 0 };
  const FalArea all = { 0 };

  return picture ? fal_layer_source_new (picture, &whole, &all) : NULL;
}

static FalResult *
make_between (Fixture *f, GBytes *before, GBytes *after, guint weight)
{
  FalResult *result = make_result (f, FAL_RESULT_BETWEEN, NULL);

  result->before = make_source (before);
  result->after = make_source (after);
  result->weight = weight;
  return result;
}

/* @result is taken. NULL: there is an error. */
static GstSample *
make (Fixture *f, FalResult *taken)
{
  g_autoptr (FalResult) result = taken;
  g_autoptr (GstCaps) caps = NULL;
  g_autoptr (GstBuffer) buffer = NULL;

  g_clear_error (&f->error);
  buffer = fal_compositor_make (f->compositor, result, &f->config, &caps, &f->error);
  g_assert_true ((buffer == NULL) == (f->error != NULL));
  return buffer ? gst_sample_new (buffer, caps, NULL, NULL) : NULL;
}

/* The colour at @x,@y of a composite in RGBx. */
static void
assert_colour_at (GstSample *sample, gint x, gint y, const Colour *colour)
{
  GstVideoInfo info;
  GstVideoFrame frame;
  const guint8 *row;

  g_assert_nonnull (sample);
  g_assert_true (gst_video_info_from_caps (&info, gst_sample_get_caps (sample)));
  g_assert_true (gst_video_frame_map (&frame, &info, gst_sample_get_buffer (sample), GST_MAP_READ));
  row = GST_VIDEO_FRAME_PLANE_DATA (&frame, 0);
  row += y * GST_VIDEO_FRAME_PLANE_STRIDE (&frame, 0);
  assert_pixel (row + 4 * x, colour, NEAR, colour->name);
  gst_video_frame_unmap (&frame);
}

/* @result (taken) becomes a picture of this colour, in the caps of the frames. */
static void
expect (Fixture *f, FalResult *result, const Colour *colour)
{
  g_autoptr (GstSample) sample = make (f, result);

  g_assert_no_error (f->error);
  g_assert_true (gst_caps_is_equal (gst_sample_get_caps (sample), gst_sample_get_caps (f->frame)));
  assert_colour_at (sample, SIZE / 2, SIZE / 2, colour);
}

static void
test_an_answer_lies_on_its_frame (void)
{
  Fixture f;

  set_up (&f);
  expect (&f, make_result (&f, FAL_RESULT_ANSWER, f.white), RED);
  expect (&f, make_result (&f, FAL_RESULT_ANSWER, f.black), BLUE);
  tear_down (&f);
}

static void
test_a_frame_between_two_has_as_much_of_each (void)
{
  static const Colour half = { "half of each", 128, 0, 128 };
  Fixture f;

  set_up (&f);
  expect (&f, make_between (&f, f.white, f.black, 128), &half);
  expect (&f, make_between (&f, f.white, f.black, 0), RED);
  expect (&f, make_between (&f, f.white, NULL, 0), RED);
  expect (&f, make_between (&f, NULL, f.black, 256), BLUE);
  tear_down (&f);
}

static void
test_where_one_cannot_be_read_another_is_seen (void)
{
  Fixture f;

  set_up (&f);
  for (guint i = 0; i < 2; i++) { /* the second time it is known */
    g_assert_null (make (&f, make_result (&f, FAL_RESULT_ANSWER, f.broken)));
    g_assert_error (f.error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  }
  g_assert_null (make (&f, make_between (&f, f.broken, NULL, 0)));
  expect (&f, make_between (&f, f.broken, f.white, 128), RED);
  expect (&f, make_between (&f, f.black, f.broken, 128), BLUE);
  expect (&f, make_between (&f, f.broken, NULL, 0), BLUE); /* as the last one */
  tear_down (&f);
}

static FalResult *
make_fallback (Fixture *f, FalFallbackMode mode)
{
  FalResult *result = make_result (f, FAL_RESULT_FALLBACK, NULL);

  result->fallback = mode;
  return result;
}

static void
test_fallbacks_are_in_the_caps_of_composites (void)
{
  Fixture f;

  set_up (&f);
  expect (&f, make_fallback (&f, FAL_FALLBACK_LAST), BLACK);
  expect (&f, make_fallback (&f, FAL_FALLBACK_PASSTHROUGH), RED);
  expect (&f, make_fallback (&f, FAL_FALLBACK_BLACK), BLACK);
  expect (&f, make_result (&f, FAL_RESULT_ANSWER, f.black), BLUE);
  expect (&f, make_fallback (&f, FAL_FALLBACK_LAST), BLUE);
  fal_compositor_reset (f.compositor);
  expect (&f, make_fallback (&f, FAL_FALLBACK_LAST), BLACK);
  tear_down (&f);
}

/* In formats with alpha they are opaque. */
static void
test_fallbacks_of_a_matte_are_opaque (void)
{
  static const FalFallbackMode modes[] = { FAL_FALLBACK_PASSTHROUGH, FAL_FALLBACK_BLACK };
  Fixture f;

  set_up (&f);
  f.config.overlay.mode = FAL_COMPOSITE_MATTE;
  for (guint i = 0; i < G_N_ELEMENTS (modes); i++) {
    g_autoptr (GstSample) sample = make (&f, make_fallback (&f, modes[i]));
    GstVideoInfo info;
    GstVideoFrame frame;

    g_assert_no_error (f.error);
    g_assert_true (gst_video_info_from_caps (&info, gst_sample_get_caps (sample)));
    g_assert_true (GST_VIDEO_INFO_HAS_ALPHA (&info));
    g_assert_true (
        gst_video_frame_map (&frame, &info, gst_sample_get_buffer (sample), GST_MAP_READ));
    g_assert_cmpuint (*(const guint8 *) GST_VIDEO_FRAME_COMP_DATA (&frame, 3), ==, 255);
    gst_video_frame_unmap (&frame);
  }
  tear_down (&f);
}

static void
test_a_frame_that_is_a_jpeg_is_decoded (void)
{
  g_autoptr (GBytes) jpeg = plain_jpeg (SIZE, SIZE, RED, 0);
  g_autoptr (GstBuffer) buffer = gst_buffer_new_wrapped_bytes (jpeg);
  g_autoptr (GstCaps) caps = gst_caps_from_string ("image/jpeg,width=64,height=64,framerate=30/1");
  Fixture f;
  g_autoptr (GstSample) sample = NULL;

  set_up (&f);
  gst_sample_unref (f.frame);
  f.frame = gst_sample_new (buffer, caps, NULL, NULL);
  gst_caps_unref (f.config.allowed);
  f.config.allowed = gst_caps_from_string ("video/x-raw,format=RGBx; image/jpeg");
  GST_BUFFER_PTS (buffer) = 7;
  for (FalResultKind kind = FAL_RESULT_ANSWER; kind <= FAL_RESULT_PASS; kind++) {
    g_clear_pointer (&sample, gst_sample_unref);
    sample = make (&f, make_result (&f, kind, f.white));
    assert_colour_at (sample, SIZE / 2, SIZE / 2, RED);
    g_assert_cmpuint (GST_BUFFER_PTS (gst_sample_get_buffer (sample)), ==, 7);
  }
  gst_caps_unref (f.config.allowed);
  f.config.allowed = gst_caps_from_string ("image/jpeg");
  g_assert_null (make (&f, make_result (&f, FAL_RESULT_ANSWER, f.white)));
  g_assert_error (f.error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  g_assert_nonnull (strstr (f.error->message, "jpegenc"));
  tear_down (&f);
}

static void
test_downstream_must_take_frames_as_they_are (void)
{
  Fixture f;

  set_up (&f);
  gst_caps_unref (f.config.allowed);
  f.config.allowed = gst_caps_from_string ("video/x-raw,format=I420");
  g_assert_null (make (&f, make_result (&f, FAL_RESULT_ANSWER, f.white)));
  g_assert_error (f.error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  g_assert_nonnull (strstr (f.error->message, "videoconvert"));
  tear_down (&f);
}

/* What to do about it depends on what downstream takes. */
static void
test_an_error_of_the_caps_says_what_helps (void)
{
  static const struct {
    const gchar *allowed;
    gint rate;
    const gchar *helps;
  } rows[] = { { "image/jpeg", 0, "jpegenc" },
    { "video/x-raw,format=RGBx,width=32", 0, "videoscale" },
    { "video/x-raw,framerate=30/1", 25, "output-framerate" } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    Fixture f;

    set_up (&f);
    gst_caps_unref (f.config.allowed);
    f.config.allowed = gst_caps_from_string (rows[i].allowed);
    f.config.rate = (FalFraction) { rows[i].rate, 1 };
    g_assert_null (make (&f, make_result (&f, FAL_RESULT_ANSWER, f.white)));
    g_assert_error (f.error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
    g_assert_nonnull (strstr (f.error->message, rows[i].helps));
    tear_down (&f);
  }
}

static void
test_a_rate_is_that_of_what_goes_out (void)
{
  Fixture f;
  g_autoptr (GstSample) sample = NULL;
  gint n, d;

  set_up (&f);
  f.config.rate = (FalFraction) { 25, 1 };
  sample = make (&f, make_result (&f, FAL_RESULT_ANSWER, f.white));
  g_assert_true (gst_structure_get_fraction (
      gst_caps_get_structure (gst_sample_get_caps (sample), 0), "framerate", &n, &d));
  g_assert_cmpint (n, ==, 25);
  assert_colour_at (sample, 0, 0, RED);
  tear_down (&f);
}

/* White that was laid on the upper left quarter lies on the lower right one. */
static void
test_a_part_that_moves_takes_the_newer_picture_along (void)
{
  const FalArea from = { 0, 0, SIZE / 2, SIZE / 2 },
                to = { SIZE / 2, SIZE / 2, SIZE / 2, SIZE / 2 };
  const FalLayout layout = { SIZE, SIZE, 1, 1, from, { 0, 0, SIZE, SIZE } };
  Fixture f;
  FalResult *result;
  g_autoptr (GstSample) sample = NULL;

  set_up (&f);
  f.config.overlay.mode = FAL_COMPOSITE_OVER;
  result = make_result (&f, FAL_RESULT_BETWEEN, NULL);
  result->frame->part = to;
  result->before = fal_layer_source_new (f.black, &layout, &from);
  result->after = fal_layer_source_new (f.white, &layout, &from);
  result->weight = 64;
  sample = make (&f, result);
  assert_colour_at (sample, SIZE / 4, SIZE / 4, RED);
  assert_colour_at (sample, 3 * SIZE / 4, 3 * SIZE / 4, WHITE);
  assert_colour_at (sample, SIZE / 2 - 1, SIZE - 1, RED);
  tear_down (&f);
}

/* White or nothing, on the upper left quarter of a frame whose part is known or not. */
static void
test_a_part_moves_where_it_is_known_and_its_picture_can_be_read (void)
{
  static const FalArea left = { 0, 0, SIZE / 2, SIZE / 2 }, nothing = { 0 };
  static const FalArea flat = { 0, 0, SIZE / 2, 0 };
  static const FalArea right = { SIZE / 2, SIZE / 2, SIZE / 2, SIZE / 2 };
  const FalLayout layout = { SIZE, SIZE, 1, 1, left, { 0, 0, SIZE, SIZE } };
  static const struct {
    const FalArea *from, *to;
    gboolean readable, moved;
  } rows[] = { { &left, &right, TRUE, TRUE }, { &left, &left, TRUE, FALSE },
    { &left, &nothing, TRUE, FALSE }, { &left, &flat, TRUE, FALSE },
    { &nothing, &right, TRUE, FALSE }, { &flat, &right, TRUE, FALSE },
    { &left, &right, FALSE, FALSE } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    Fixture f;
    FalResult *result;
    g_autoptr (GstSample) last = NULL, sample = NULL;

    g_test_message ("row %u", i);
    set_up (&f);
    f.config.overlay.mode = FAL_COMPOSITE_OVER;
    result = make_result (&f, FAL_RESULT_ANSWER, f.white); /* what is seen where none can be read */
    result->layout = layout;
    last = make (&f, result);
    result = make_result (&f, FAL_RESULT_BETWEEN, NULL);
    result->frame->part = *rows[i].to;
    result->before =
        fal_layer_source_new (rows[i].readable ? f.white : f.broken, &layout, rows[i].from);
    sample = make (&f, result);
    assert_colour_at (sample, SIZE / 4, SIZE / 4, rows[i].moved ? RED : WHITE);
    assert_colour_at (sample, 3 * SIZE / 4, 3 * SIZE / 4, rows[i].moved ? WHITE : RED);
    tear_down (&f);
  }
}

static void
test_frames_of_other_caps_get_layers_of_their_own (void)
{
  Fixture f;

  set_up (&f);
  expect (&f, make_result (&f, FAL_RESULT_ANSWER, f.white), RED);
  gst_sample_unref (f.frame);
  f.frame = plain_sample ("RGBx", 2 * SIZE, SIZE, ",framerate=30/1", &jfif, GREEN);
  expect (&f, make_result (&f, FAL_RESULT_ANSWER, f.white), GREEN);
  expect (&f, make_between (&f, f.black, f.white, 256), GREEN);
  gst_sample_unref (f.frame);
  f.frame = plain_sample ("RGBx", SIZE, SIZE, ",framerate=30/1", &jfif, RED);
  expect (&f, make_fallback (&f, FAL_FALLBACK_LAST), BLACK); /* the last one was larger */
  tear_down (&f);
}

static void
test_what_another_element_said_of_its_result_is_not_kept (void)
{
  static const gchar *tags[] = { NULL };
  GstBuffer *buffer;
  Fixture f;
  g_autoptr (GstSample) sample = NULL;

  gst_meta_register_custom (FAL_RESULT_META, tags, NULL, NULL, NULL);
  set_up (&f);
  buffer = gst_buffer_copy (gst_sample_get_buffer (f.frame));
  gst_buffer_add_custom_meta (buffer, FAL_RESULT_META);
  gst_sample_unref (f.frame);
  {
    g_autoptr (GstCaps) caps = make_caps ("RGBx", SIZE, SIZE, ",framerate=30/1");

    f.frame = gst_sample_new (buffer, caps, NULL, NULL);
  }
  gst_buffer_unref (buffer);
  for (FalResultKind kind = FAL_RESULT_ANSWER; kind <= FAL_RESULT_PASS; kind++) {
    g_clear_pointer (&sample, gst_sample_unref);
    sample = make (&f, make_result (&f, kind, f.white));
    g_assert_null (gst_buffer_get_custom_meta (gst_sample_get_buffer (sample), FAL_RESULT_META));
  }
  tear_down (&f);
}

/* Whatever was made before: what comes out is what a new compositor makes. */
static void
test_one_compositor_follows_each_change (void)
{
  static const FalCompositorConfig configs[] = {
    { { FAL_COMPOSITE_MATTE_OVER, .background = { .argb = 0xff0000ff } }, .max_pixels = 1 << 20 },
    { { FAL_COMPOSITE_MATTE_OVER, .background = { .argb = 0xff00ff00 } }, .max_pixels = 1 << 20 },
    { { FAL_COMPOSITE_MATTE_OVER, .background = { .blur = TRUE } }, .max_pixels = 1 << 20 },
    { { FAL_COMPOSITE_MATTE }, .max_pixels = 1 << 20 },
    { { FAL_COMPOSITE_OVER }, .max_pixels = 1 << 20 },
    { { FAL_COMPOSITE_OVER, .feather = 4 }, .max_pixels = 1 << 20 },
    { { FAL_COMPOSITE_OVER, .fit = FAL_FIT_STRETCH }, .max_pixels = 1 << 20 },
    { { FAL_COMPOSITE_OVER }, .max_pixels = 1 << 21 },
    { { FAL_COMPOSITE_OVER }, .max_pixels = 1 << 20, .rate = { 25, 1 } },
    { { FAL_COMPOSITE_OVER }, .max_pixels = 1 << 20, .rate = { 25, 2 } },
  };
  Fixture f;

  set_up (&f);
  for (guint i = 0; i < G_N_ELEMENTS (configs); i++) {
    for (guint j = 0; j < G_N_ELEMENTS (configs); j++) {
      GstCaps *allowed = f.config.allowed;
      FalCompositor *used = f.compositor;
      g_autoptr (GstSample) before = NULL, after = NULL, wanted = NULL;
      g_autoptr (GstCaps) same = gst_caps_copy (allowed);
      GstMapInfo one, other;

      f.config = configs[i];
      f.config.allowed = allowed;
      before = make (&f, make_result (&f, FAL_RESULT_ANSWER, f.white));
      g_assert_nonnull (before);
      f.config = configs[j];
      f.config.allowed = same; /* another object that says the same */
      after = make (&f, make_result (&f, FAL_RESULT_ANSWER, f.white));
      f.config.allowed = allowed;
      f.compositor = fal_compositor_new ();
      wanted = make (&f, make_result (&f, FAL_RESULT_ANSWER, f.white));
      fal_compositor_free (f.compositor);
      f.compositor = used;
      g_assert_true (gst_caps_is_equal (gst_sample_get_caps (after), gst_sample_get_caps (wanted)));
      g_assert_true (gst_buffer_map (gst_sample_get_buffer (after), &one, GST_MAP_READ));
      g_assert_true (gst_buffer_map (gst_sample_get_buffer (wanted), &other, GST_MAP_READ));
      g_assert_cmpuint (one.size, ==, other.size);
      for (gsize k = 0; k < one.size; k++)
        if (k % 4 != 3 || configs[j].overlay.mode == FAL_COMPOSITE_MATTE) /* else it is not used */
          g_assert_cmpuint (one.data[k], ==, other.data[k]);
      gst_buffer_unmap (gst_sample_get_buffer (wanted), &other);
      gst_buffer_unmap (gst_sample_get_buffer (after), &one);
    }
  }
  tear_down (&f);
}

/* Frames on which nothing can be laid, or of which nobody knows the size. */
static void
test_other_frames_are_refused (void)
{
  static const gchar *const texts[] = { "video/x-raw,format=VYUY,width=64,height=64,framerate=30/1",
    "video/x-raw,format=RGBx" };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (GstCaps) caps = gst_caps_from_string (texts[i]);
    g_autoptr (GstSample) flat = NULL;
    Fixture f;

    set_up (&f);
    flat = gst_sample_new (gst_sample_get_buffer (f.frame), caps, NULL, NULL);
    gst_sample_unref (f.frame);
    f.frame = g_steal_pointer (&flat);
    for (guint k = 0; k < 2; k++) {
      g_assert_null (make (&f, make_result (&f, FAL_RESULT_ANSWER, f.white)));
      g_assert_error (f.error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
    }
    tear_down (&f);
  }
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
#define ADD(name) g_test_add_func ("/compositor/" #name, test_##name)
  ADD (an_answer_lies_on_its_frame);
  ADD (a_frame_between_two_has_as_much_of_each);
  ADD (where_one_cannot_be_read_another_is_seen);
  ADD (fallbacks_are_in_the_caps_of_composites);
  ADD (fallbacks_of_a_matte_are_opaque);
  ADD (a_frame_that_is_a_jpeg_is_decoded);
  ADD (downstream_must_take_frames_as_they_are);
  ADD (a_rate_is_that_of_what_goes_out);
  ADD (a_part_that_moves_takes_the_newer_picture_along);
  ADD (frames_of_other_caps_get_layers_of_their_own);
  ADD (what_another_element_said_of_its_result_is_not_kept);
  ADD (one_compositor_follows_each_change);
  ADD (other_frames_are_refused);
  ADD (an_error_of_the_caps_says_what_helps);
  ADD (a_part_moves_where_it_is_known_and_its_picture_can_be_read);
  return g_test_run ();
}
