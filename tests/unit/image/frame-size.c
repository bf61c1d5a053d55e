/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The size of a frame, by its caps or by the header of its picture. */
#include "../unreadable-memory.h"
#include "fal/image/frame-size.h"
#include "test-pictures.h"

static void
assert_size (GBytes *bytes, const gchar *caps_text, gint wanted_width, gint wanted_height)
{
  g_autoptr (GstCaps) caps = gst_caps_from_string (caps_text);
  g_autoptr (GstBuffer) buffer = gst_buffer_new_wrapped_bytes (bytes);
  g_autoptr (GstSample) sample = gst_sample_new (buffer, caps, NULL, NULL);
  gint width = -1, height = -1;

  fal_frame_size_read (sample, &width, &height);
  g_assert_cmpint (width, ==, wanted_width);
  g_assert_cmpint (height, ==, wanted_height);
}

static void
test_caps_say_the_size_of_raw_video (void)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static ("x", 1);

  assert_size (bytes, "video/x-raw,format=I420,width=641,height=479", 641, 479);
  assert_size (bytes,
      "video/x-raw(format:Interlaced),format=I420,width=640,height=479,interlace-mode=alternate",
      640, 240);
  assert_size (bytes, "video/x-raw,format=I420,width=640", 0, 0);
}

/* Whatever the caps say. */
static void
test_its_header_says_the_size_of_a_picture (void)
{
  g_autoptr (GBytes) jpeg = plain_jpeg (65, 49, RED, 0);
  g_autoptr (GBytes) head = g_bytes_new_from_bytes (jpeg, 0, g_bytes_get_size (jpeg) - 20);

  assert_size (jpeg, "image/jpeg,width=320,height=240", 65, 49);
  assert_size (head, "image/jpeg", 65, 49);
}

static void
test_png_and_webp_have_headers_too (void)
{
  static const guint8 pixel[] = { 10, 20, 30, 255 };

#ifdef HAVE_PNG
  const PngKind kind = { PNG_COLOR_TYPE_RGBA, 8 };
  g_autoptr (GBytes) png = plain_png (&kind, pixel, 4);

  assert_size (png, "image/png", 40, 30);
#endif
#ifdef HAVE_WEBP
  g_autoptr (GBytes) webp = plain_webp (pixel, TRUE);

  assert_size (webp, "image/webp", 40, 30);
#endif
}

static void
test_what_is_no_picture_has_no_size (void)
{
  g_autoptr (GBytes) text = g_bytes_new_static ("no picture", 10);
  g_autoptr (GBytes) start = g_bytes_new_static ("\xff\xd8\xff\xe0", 4);
  g_autoptr (GBytes) nothing = g_bytes_new_static ("", 0);
  g_autoptr (GBytes) broken = g_bytes_new_static ("\xff\xd8\xff\xe0\0\1", 6);

  assert_size (text, "image/jpeg", 0, 0);
  assert_size (start, "image/jpeg", 0, 0);
  assert_size (nothing, "image/png", 0, 0);
  assert_size (broken, "image/jpeg", 0, 0);
}

static void
test_what_cannot_be_read_has_no_size (void)
{
  g_autoptr (GstCaps) picture = gst_caps_from_string ("image/jpeg"), none = gst_caps_new_empty ();
  g_autoptr (GstBuffer) buffer = unreadable_buffer_new (100);
  GstCaps *all[] = { picture, none, NULL };

  for (guint i = 0; i < G_N_ELEMENTS (all); i++) {
    g_autoptr (GstSample) sample = gst_sample_new (buffer, all[i], NULL, NULL);
    gint width = -1, height = -1;

    fal_frame_size_read (sample, &width, &height);
    g_assert_cmpint (width, ==, 0);
    g_assert_cmpint (height, ==, 0);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
#define ADD(name) g_test_add_func ("/frame-size/" #name, test_##name)
  ADD (caps_say_the_size_of_raw_video);
  ADD (its_header_says_the_size_of_a_picture);
  ADD (png_and_webp_have_headers_too);
  ADD (what_is_no_picture_has_no_size);
  ADD (what_cannot_be_read_has_no_size);
  return g_test_run ();
}
