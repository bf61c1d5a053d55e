/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is shown while no result comes: which picture, and of which size. */
#include "fal/image/fallback-picture.h"
#include "test-pictures.h"

#include <gio/gio.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalFallbackPicture, fal_fallback_picture_free)

static const FalEncoderConfig sent = { .width = 32, .height = 24, .quality = 10 };

static GstSample *
make_frame (void)
{
  return plain_sample ("RGBx", 64, 48, "", &jfif, RED);
}

/* @result was shown with pixels of this shape. */
static void
note_result (FalFallbackPicture *picture, GBytes *result, const gchar *par)
{
  g_autofree gchar *text = g_strdup_printf ("image/jpeg, pixel-aspect-ratio=%s", par);
  g_autoptr (GstCaps) caps = gst_caps_from_string (text);

  fal_fallback_picture_note_result (picture, result, caps);
}

static GBytes *
make (FalFallbackPicture *picture, FalFallbackMode mode)
{
  g_autoptr (GstSample) frame = make_frame ();
  g_autoptr (GError) error = NULL;
  FalLayout layout;
  GBytes *made = fal_fallback_picture_make (picture, mode, frame, &sent, &layout, &error);

  g_assert_no_error (error);
  return made;
}

static void
assert_shows (FalFallbackPicture *picture, FalFallbackMode mode, gint width, gint height,
    const Colour *colour)
{
  g_autoptr (GBytes) made = make (picture, mode);
  g_auto (Image) image = read_jpeg (made);

  g_assert_cmpint (image.width, ==, width);
  g_assert_cmpint (image.height, ==, height);
  assert_image_pixel (&image, 0, 0, colour);
  assert_image_pixel (&image, width - 1, height - 1, colour);
}

static void
test_before_the_first_result_the_size_is_the_requests (void)
{
  g_autoptr (FalFallbackPicture) picture = fal_fallback_picture_new ();

  assert_shows (picture, FAL_FALLBACK_BLACK, 32, 24, BLACK);
  assert_shows (picture, FAL_FALLBACK_LAST, 32, 24, BLACK);
  assert_shows (picture, FAL_FALLBACK_PASSTHROUGH, 32, 24, RED);
}

static void
test_after_it_the_size_is_that_of_the_result (void)
{
  g_autoptr (FalFallbackPicture) picture = fal_fallback_picture_new ();
  g_autoptr (GBytes) small = plain_jpeg (40, 30, BLUE, 0);
  g_autoptr (GBytes) large = plain_jpeg (80, 60, GREEN, 0);

  assert_shows (picture, FAL_FALLBACK_BLACK, 32, 24, BLACK);
  note_result (picture, small, "1/1");
  assert_shows (picture, FAL_FALLBACK_BLACK, 40, 30, BLACK);
  assert_shows (picture, FAL_FALLBACK_PASSTHROUGH, 40, 30, RED);
  note_result (picture, large, "1/1");
  assert_shows (picture, FAL_FALLBACK_BLACK, 80, 60, BLACK);
  assert_shows (picture, FAL_FALLBACK_PASSTHROUGH, 80, 60, RED);
}

static void
test_the_last_result_is_shown_as_it_came (void)
{
  g_autoptr (FalFallbackPicture) picture = fal_fallback_picture_new ();
  g_autoptr (GBytes) result = plain_jpeg (40, 30, BLUE, 0);
  g_autoptr (GBytes) made = NULL;

  note_result (picture, result, "1/1");
  made = make (picture, FAL_FALLBACK_LAST);
  g_assert_true (made == result);
}

static void
test_a_black_picture_is_made_once (void)
{
  g_autoptr (FalFallbackPicture) picture = fal_fallback_picture_new ();
  g_autoptr (GBytes) first = make (picture, FAL_FALLBACK_BLACK);
  g_autoptr (GBytes) second = make (picture, FAL_FALLBACK_BLACK);

  g_assert_true (first == second);
}

static void
test_a_reset_forgets_the_last_result (void)
{
  g_autoptr (FalFallbackPicture) picture = fal_fallback_picture_new ();
  g_autoptr (GBytes) result = plain_jpeg (40, 30, BLUE, 0);

  note_result (picture, result, "1/1");
  assert_shows (picture, FAL_FALLBACK_LAST, 40, 30, BLUE);
  fal_fallback_picture_reset (picture);
  assert_shows (picture, FAL_FALLBACK_LAST, 32, 24, BLACK);
}

static GstSample *
wrap_jpeg (GBytes *jpeg, const gchar *caps_text)
{
  g_autoptr (GstBuffer) buffer = gst_buffer_new_wrapped_bytes (jpeg);
  g_autoptr (GstCaps) caps = gst_caps_from_string (caps_text);

  return gst_sample_new (buffer, caps, NULL, NULL);
}

/* What is shown for a JPEG of 50 × 20. */
static void
assert_shows_jpeg (FalFallbackPicture *picture, FalFallbackMode mode,
    const FalEncoderConfig *config, gint width, gint height)
{
  g_autoptr (GBytes) jpeg = plain_jpeg (50, 20, GREEN, 0);
  g_autoptr (GstSample) frame = wrap_jpeg (jpeg, "image/jpeg");
  g_autoptr (GError) error = NULL;
  FalLayout layout;
  g_autoptr (GBytes) made =
      fal_fallback_picture_make (picture, mode, frame, config, &layout, &error);
  g_auto (Image) image = { 0 };

  g_assert_no_error (error);
  g_assert_cmpint (layout.width, ==, width);
  g_assert_cmpint (layout.height, ==, height);
  image = read_jpeg (made);
  g_assert_cmpint (image.width, ==, width);
  g_assert_cmpint (image.height, ==, height);
  assert_image_pixel (&image, width / 2, height / 2, mode == FAL_FALLBACK_BLACK ? BLACK : GREEN);
}

static void
test_an_encoded_frame_is_shown_in_the_results_size (void)
{
  static const FalFallbackMode modes[] = { FAL_FALLBACK_BLACK, FAL_FALLBACK_PASSTHROUGH };
  static const FalEncoderConfig as_it_comes = { .quality = 10 }, wide = { .width = 100 };

  for (guint i = 0; i < G_N_ELEMENTS (modes); i++) {
    g_autoptr (FalFallbackPicture) picture = fal_fallback_picture_new ();
    g_autoptr (GBytes) result = plain_jpeg (40, 30, BLUE, 0);

    assert_shows_jpeg (picture, modes[i], &as_it_comes, 50, 20);
    fal_fallback_picture_reset (picture);
    assert_shows_jpeg (picture, modes[i], &wide, 100, 40);
    fal_fallback_picture_reset (picture);
    assert_shows_jpeg (picture, modes[i], &sent, 32, 24);
    note_result (picture, result, "1/1");
    assert_shows_jpeg (picture, modes[i], &sent, 40, 30);
  }
}

static void
test_an_encoded_frame_of_that_size_is_shown_as_it_is (void)
{
  g_autoptr (FalFallbackPicture) picture = fal_fallback_picture_new ();
  g_autoptr (GBytes) jpeg = plain_jpeg (40, 30, GREEN, 0);
  g_autoptr (GBytes) result = plain_jpeg (40, 30, BLUE, 0);
  g_autoptr (GstSample) frame = wrap_jpeg (jpeg, "image/jpeg");
  g_autoptr (GBytes) made = NULL;
  FalLayout layout;

  note_result (picture, result, "1/1");
  made = fal_fallback_picture_make (picture, FAL_FALLBACK_PASSTHROUGH, frame, &sent, &layout, NULL);
  g_assert_true (g_bytes_equal (made, jpeg));
}

/* A frame of 64 × 48 with pixels twice as wide as high is shown beside results of 40 × 40 with
 * pixels of 8/3: both have the same shape, so that nothing is cut off. */
static void
test_the_shape_is_that_of_the_results (void)
{
  g_autoptr (FalFallbackPicture) picture = fal_fallback_picture_new ();
  g_autoptr (GstSample) frame =
      plain_sample ("RGBx", 64, 48, ",pixel-aspect-ratio=2/1", &jfif, RED);
  g_autoptr (GBytes) result = plain_jpeg (40, 40, BLUE, 0);
  g_autoptr (GBytes) made = NULL;
  FalLayout layout;

  note_result (picture, result, "8/3");
  made = fal_fallback_picture_make (picture, FAL_FALLBACK_PASSTHROUGH, frame, &sent, &layout, NULL);
  g_assert_cmpint (layout.width, ==, 40);
  g_assert_cmpint (layout.height, ==, 40);
  g_assert_cmpint (layout.par_n, ==, 8);
  g_assert_cmpint (layout.par_d, ==, 3);
  g_assert_cmpint (layout.from.width, ==, 64);
  g_assert_cmpint (layout.from.height, ==, 48);
}

static void
test_a_frame_that_cannot_be_encoded_is_an_error (void)
{
  g_autoptr (FalFallbackPicture) picture = fal_fallback_picture_new ();
  g_autoptr (GstSample) frame = gst_sample_new (NULL, NULL, NULL, NULL);
  g_autoptr (GError) error = NULL;
  FalLayout layout;

  g_assert_null (
      fal_fallback_picture_make (picture, FAL_FALLBACK_PASSTHROUGH, frame, &sent, &layout, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
}

/* A frame that is a picture already is decoded only where it is to be another one. */
static void
test_an_encoded_frame_is_fitted_where_it_must (void)
{
  static const struct {
    FalEncoderConfig sent;
    gint width, height;
    gboolean same;
  } rows[] = {
    { { .quality = 90 }, 40, 30, TRUE },
    { { 40, 30, .quality = 90 }, 40, 30, TRUE },
    { { 40, 30, .quality = 90, .par_n = 1, .par_d = 1 }, 40, 30, TRUE },
    { { 40, 30, .quality = 90, .par_n = 2, .par_d = 1 }, 40, 30, FALSE },
    { { 40, 30, .quality = 90, .par_n = 1, .par_d = 2 }, 40, 30, FALSE },
    { { 20, 30, .quality = 90 }, 20, 30, FALSE },
    { { 40, 16, .quality = 90 }, 40, 16, FALSE },
    { { 0, 15, .quality = 90 }, 20, 15, FALSE },
    { { 20, 0, .quality = 90 }, 20, 15, FALSE },
  };
  g_autoptr (GBytes) jpeg = plain_jpeg (40, 30, RED, 0);
  g_autoptr (GstBuffer) buffer = gst_buffer_new_wrapped_bytes (jpeg);
  g_autoptr (GstCaps) caps =
      gst_caps_from_string ("image/jpeg,width=40,height=30,pixel-aspect-ratio=1/1");
  g_autoptr (GstSample) frame = gst_sample_new (buffer, caps, NULL, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (FalFallbackPicture) picture = fal_fallback_picture_new ();
    g_autoptr (GError) error = NULL;
    FalLayout layout;
    g_autoptr (GBytes) made = fal_fallback_picture_make (
        picture, FAL_FALLBACK_PASSTHROUGH, frame, &rows[i].sent, &layout, &error);
    g_auto (Image) image = { 0 };

    g_assert_no_error (error);
    image = read_jpeg (made);
    g_assert_cmpint (image.width, ==, rows[i].width);
    g_assert_cmpint (image.height, ==, rows[i].height);
    /* A picture that is encoded anew may have the same bytes, but in other memory. */
    g_assert_true (
        (g_bytes_get_data (made, NULL) == g_bytes_get_data (jpeg, NULL)) == rows[i].same);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
#define ADD(name, test) g_test_add_func ("/fallback-picture/" name, test)
  ADD ("before-the-first-result-the-size-is-the-requests",
      test_before_the_first_result_the_size_is_the_requests);
  ADD ("after-it-the-size-is-that-of-the-result", test_after_it_the_size_is_that_of_the_result);
  ADD ("the-last-result-is-shown-as-it-came", test_the_last_result_is_shown_as_it_came);
  ADD ("a-black-picture-is-made-once", test_a_black_picture_is_made_once);
  ADD ("a-reset-forgets-the-last-result", test_a_reset_forgets_the_last_result);
  ADD ("an-encoded-frame-is-shown-in-the-results-size",
      test_an_encoded_frame_is_shown_in_the_results_size);
  ADD ("an-encoded-frame-of-that-size-is-shown-as-it-is",
      test_an_encoded_frame_of_that_size_is_shown_as_it_is);
  ADD ("an-encoded-frame-is-fitted-where-it-must", test_an_encoded_frame_is_fitted_where_it_must);
  ADD ("the-shape-is-that-of-the-results", test_the_shape_is_that_of_the_results);
  ADD ("a-frame-that-cannot-be-encoded-is-an-error",
      test_a_frame_that_cannot_be_encoded_is_an_error);
  return g_test_run ();
}
