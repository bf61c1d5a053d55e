/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pictures through the whole element: formats in, formats out, colours kept. */
#include "fixture.h"
#include <string.h>

static const guint colours[] = { 0xffffff, 0x000000, 0xff0000, 0x00ff00, 0x0000ff, 0x808080 };

/* Limited-range planes of one colour, worked out here and not by GStreamer. */
typedef struct {
  const gchar *colorimetry;
  gdouble kr, kb;
} Matrix;

static const Matrix matrices[] = { { "bt601", 0.299, 0.114 }, { "bt709", 0.2126, 0.0722 } };

static void
to_limited (const Matrix *m, guint colour, guint8 *y, guint8 *u, guint8 *v)
{
  gdouble r = (colour >> 16 & 0xff) / 255.0, g = (colour >> 8 & 0xff) / 255.0;
  gdouble b = (colour & 0xff) / 255.0;
  gdouble luma = m->kr * r + (1 - m->kr - m->kb) * g + m->kb * b;

  *y = 16 + 219 * luma + 0.5;
  *u = 128 + 112 * (b - luma) / (1 - m->kb) + 0.5;
  *v = 128 + 112 * (r - luma) / (1 - m->kr) + 0.5;
}

/* A frame of one colour in a YUV format of 8 bits. */
static GstBuffer *
make_yuv (const GstVideoInfo *info, const Matrix *m, guint colour)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, info->size, NULL);
  GstVideoFrame frame;
  guint8 values[3];

  to_limited (m, colour, &values[0], &values[1], &values[2]);
  g_assert_true (gst_video_frame_map (&frame, info, buffer, GST_MAP_WRITE));
  for (guint c = 0; c < 3; c++)
    for (gint y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT (&frame, c); y++)
      for (gint x = 0; x < GST_VIDEO_FRAME_COMP_WIDTH (&frame, c); x++) {
        guint8 *data = GST_VIDEO_FRAME_COMP_DATA (&frame, c);

        data[y * GST_VIDEO_FRAME_COMP_STRIDE (&frame, c) +
             x * GST_VIDEO_FRAME_COMP_PSTRIDE (&frame, c)] = values[c];
      }
  gst_video_frame_unmap (&frame);
  GST_BUFFER_PTS (buffer) = 0;
  return buffer;
}

static void
check_yuv (Fixture *f, const gchar *format, const Matrix *m)
{
  g_autofree gchar *text =
      g_strdup_printf ("video/x-raw,format=%s,width=64,height=48,framerate=30/1,colorimetry=%s",
          format, m->colorimetry);
  g_autoptr (GstCaps) caps = gst_caps_from_string (text);
  GstVideoInfo info;

  g_test_message ("%s %s", format, m->colorimetry);
  g_assert_true (gst_video_info_from_caps (&info, caps));
  gst_harness_set_src_caps (f->harness, g_steal_pointer (&caps));
  for (guint i = 0; i < G_N_ELEMENTS (colours); i++) {
    g_autoptr (GstBuffer) out = NULL;

    fixture_push (f, make_yuv (&info, m, colours[i]));
    out = fixture_pull (f);
    assert_colour (fixture_colour (f, out), colours[i], 4);
  }
}

static void
test_camera_formats_keep_their_colours (void)
{
  static const gchar *const formats[] = { "I420", "NV12", "YUY2" };
  FalServerOptions options = { .effect = "echo" };
  g_autoptr (Fixture) f = fixture_new (&options, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (formats); i++)
    for (guint k = 0; k < G_N_ELEMENTS (matrices); k++)
      check_yuv (f, formats[i], &matrices[k]);
}

static void
test_rgb_keeps_its_colours (void)
{
  FalServerOptions options = { .effect = "echo" };
  g_autoptr (Fixture) f = fixture_new (&options, NULL);

  fixture_set_size (f, 64, 48);
  for (guint i = 0; i < G_N_ELEMENTS (colours); i++) {
    g_autoptr (GstBuffer) out = NULL;

    fixture_push (f, fixture_frame (64, 48, colours[i], i));
    out = fixture_pull (f);
    assert_colour (fixture_colour (f, out), colours[i], 3);
  }
}

/* One frame through a model that speaks @schema. */
static void
check_schema (const gchar *schema, const gchar *properties, guint colour, guint wanted)
{
  FalServerOptions options = { .schema = schema };
  g_autoptr (Fixture) f = fixture_new (&options, properties);
  g_autoptr (GstBuffer) out = NULL;

  g_test_message ("%s", schema);
  fixture_set_size (f, 64, 48);
  fixture_push (f, fixture_frame (64, 48, colour, 0));
  out = fixture_pull (f);
  assert_colour (fixture_colour (f, out), wanted, 5);
}

static void
test_every_schema_brings_its_picture (void)
{
  check_schema ("turbo", NULL, 0xff0000, 0x00ffff);
  check_schema ("lcm", "image-field=image_url image-encoding=data-uri", 0xff0000, 0x00ffff);
  check_schema ("klein", "image-field=image_url image-encoding=data-uri", 0xff0000, 0x00ffff);
  check_schema ("birefnet", NULL, 0xff0000, 0x00ffff);
  check_schema ("sd-turbo", "image-field=image", 0xff0000, 0x00ffff);
  check_schema ("raw", "image-field=image", 0xff0000, 0x00ffff);
}

static GBytes *
load (const gchar *name)
{
  g_autofree gchar *path = g_build_filename (g_getenv ("FAL_TEST_DATA"), name, NULL);
  g_autoptr (GError) error = NULL;
  gchar *data;
  gsize size;

  g_file_get_contents (path, &data, &size, &error);
  g_assert_no_error (error);
  return g_bytes_new_take (data, size);
}

static void
check_untouched (const gchar *name, const gchar *media_type)
{
  FalServerOptions options = { .effect = "echo" };
  g_autoptr (Fixture) f = fixture_new (&options, NULL);
  g_autoptr (GBytes) picture = load (name);
  g_autoptr (GstBuffer) out = NULL;
  g_autoptr (GstCaps) caps = NULL;
  g_autoptr (GstStructure) request = NULL;

  gst_harness_set_sink_caps_str (f->harness, media_type);
  gst_harness_set_src_caps_str (f->harness, media_type);
  fixture_push (f, gst_buffer_new_wrapped_bytes (picture));
  out = fixture_pull (f);
  g_assert_cmpint (
      gst_buffer_memcmp (out, 0, g_bytes_get_data (picture, NULL), g_bytes_get_size (picture)), ==,
      0);
  g_assert_cmpuint (gst_buffer_get_size (out), ==, g_bytes_get_size (picture));
  caps = fixture_get_caps (f);
  g_assert_true (gst_structure_has_name (gst_caps_get_structure (caps, 0), media_type));
  request = fal_server_pop_request (f->server, WATCHDOG_SECONDS * 1000);
  g_assert_true (g_bytes_equal (
      g_value_get_boxed (gst_structure_get_value (request, "image_bytes")), picture));
}

static void
test_pictures_travel_untouched_where_downstream_takes_them (void)
{
  check_untouched ("astronaut.jpg", "image/jpeg");
#ifdef HAVE_PNG
  check_untouched ("astronaut.png", "image/png");
#endif
#ifdef HAVE_WEBP
  check_untouched ("astronaut.webp", "image/webp");
#endif
}

static void
test_downstream_chooses_the_format (void)
{
  static const gchar *const formats[] = { "RGB", "BGRx", "RGBA", "I420", "NV12", "GRAY8", "AYUV" };

  for (guint i = 0; i < G_N_ELEMENTS (formats); i++) {
    FalServerOptions options = { .effect = "echo" };
    g_autoptr (Fixture) f = fixture_new (&options, NULL);
    g_autofree gchar *sink = g_strdup_printf ("video/x-raw,format=%s", formats[i]);
    g_autoptr (GstCaps) caps = NULL;
    GstVideoInfo info;

    gst_harness_set_sink_caps_str (f->harness, sink);
    fixture_set_size (f, 64, 48);
    fixture_push (f, fixture_frame (64, 48, 0xffffff, 0));
    gst_buffer_unref (fixture_pull (f));
    caps = fixture_get_caps (f);
    g_assert_true (gst_video_info_from_caps (&info, caps));
    g_assert_cmpstr (gst_video_format_to_string (GST_VIDEO_INFO_FORMAT (&info)), ==, formats[i]);
  }
}

static void
test_what_downstream_cannot_take_is_an_error (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, NULL);

  gst_harness_set_sink_caps_str (f->harness, "video/x-raw,format=RGB,width=7,height=7");
  fixture_set_size (f, 64, 48);
  gst_harness_push (f->harness, fixture_frame (64, 48, 0, 0));
  gst_message_unref (fixture_wait_for_message (f, GST_MESSAGE_ERROR));
}

static void
test_the_picture_is_fitted_before_it_is_sent (void)
{
  FalServerOptions options = { .effect = "echo" };
  g_autoptr (Fixture) f = fixture_new (&options, "width=96 height=96 fit=crop");
  g_autoptr (GstCaps) caps = NULL;
  GstVideoInfo info;

  fixture_set_size (f, 640, 360);
  fixture_push (f, fixture_frame (640, 360, 0x204060, 0));
  gst_buffer_unref (fixture_pull (f));
  caps = fixture_get_caps (f);
  g_assert_true (gst_video_info_from_caps (&info, caps));
  g_assert_cmpint (info.width, ==, 96);
  g_assert_cmpint (info.height, ==, 96);
}

static void
test_an_oversized_picture_is_counted_and_dropped (void)
{
  FalServerOptions options = { .effect = "echo" };
  g_autoptr (Fixture) f = fixture_new (&options, "max-pixels=1000");

  fixture_set_size (f, 64, 48);
  fixture_push (f, fixture_frame (64, 48, 0, 0));
  gst_message_unref (fixture_wait_for_message (f, GST_MESSAGE_WARNING));
  fixture_wait_for_stat (f, "results-invalid", 1);
  fixture_set_size (f, 20, 20);
  fixture_push (f, fixture_frame (20, 20, 0, 1));
  gst_buffer_unref (fixture_pull (f));
}

/* ---- shapes ---- */

/* Frame @n of 64 × 48 with caps that say @more; the pixel aspect ratio of its result, as text. */
static gchar *
find_shape (const gchar *properties, const gchar *more)
{
  FalServerOptions options = { .effect = "echo" };
  g_autoptr (Fixture) f = fixture_new (&options, properties);
  g_autofree gchar *caps_text =
      g_strdup_printf ("video/x-raw,format=RGB,width=64,height=48,framerate=30/1%s", more);
  g_autoptr (GstCaps) caps = NULL;
  GstVideoInfo info;

  gst_harness_set_src_caps_str (f->harness, caps_text);
  fixture_push (f, fixture_frame (64, 48, 0x204060, 0));
  gst_buffer_unref (fixture_pull (f));
  caps = fixture_get_caps (f);
  g_assert_true (gst_video_info_from_caps (&info, caps));
  return g_strdup_printf ("%d × %d, %d/%d", info.width, info.height, info.par_n, info.par_d);
}

static void
test_a_result_has_the_shape_of_its_frame (void)
{
  static const gchar anamorphic[] = ",pixel-aspect-ratio=2/1"; /* 8:3 */
  static const struct {
    const gchar *properties, *caps, *wanted;
  } rows[] = {
    { "", "", "64 × 48, 1/1" },
    { "", anamorphic, "64 × 48, 2/1" },
    { "enabled=false", anamorphic, "64 × 48, 2/1" },
    { "width=32", anamorphic, "32 × 12, 1/1" },
    { "height=24", anamorphic, "64 × 24, 1/1" },
    { "width=48 height=48 fit=crop", anamorphic, "48 × 48, 1/1" },
    { "width=48 height=48 fit=letterbox", anamorphic, "48 × 48, 1/1" },
    { "width=48 height=48 fit=stretch", anamorphic, "48 × 48, 8/3" },
    { "width=48 height=48 fit=stretch", "", "48 × 48, 4/3" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree gchar *shape = find_shape (rows[i].properties, rows[i].caps);

    g_test_message ("%s %s", rows[i].properties, rows[i].caps);
    g_assert_cmpstr (shape, ==, rows[i].wanted);
  }
}

/* A picture that travels as it came, and one that is decoded on its way out. */
static void
test_a_picture_has_the_shape_that_its_caps_say (void)
{
  static const gchar *const out[] = { "image/jpeg", "video/x-raw" };

  for (guint i = 0; i < 2 * G_N_ELEMENTS (out); i++) {
    FalServerOptions options = { .effect = "echo" };
    g_autoptr (Fixture) f = fixture_new (&options, i % 2 ? "enabled=false" : NULL);
    g_autoptr (GBytes) picture = load ("astronaut.jpg");
    g_autoptr (GstCaps) caps = NULL;
    gint n, d;

    gst_harness_set_sink_caps_str (f->harness, out[i / 2]);
    gst_harness_set_src_caps_str (
        f->harness, "image/jpeg,width=256,height=256,pixel-aspect-ratio=16/15");
    fixture_push (f, gst_buffer_new_wrapped_bytes (picture));
    gst_buffer_unref (fixture_pull (f));
    caps = fixture_get_caps (f);
    g_assert_true (gst_structure_get_fraction (
        gst_caps_get_structure (caps, 0), "pixel-aspect-ratio", &n, &d));
    g_assert_cmpint (n, ==, 16);
    g_assert_cmpint (d, ==, 15);
  }
}

/* ---- metas ---- */

static void
check_metas (const gchar *properties, const gchar *out, guint x, guint y, guint w, guint h)
{
  FalServerOptions options = { .effect = "echo" };
  g_autoptr (Fixture) f = fixture_new (&options, properties);
  g_autoptr (GstCaps) clock = gst_caps_new_empty_simple ("timestamp/x-ntp");
  GstBuffer *frame = fixture_frame (64, 48, 0x204060, 0);
  g_autoptr (GstBuffer) result = NULL;
  GstVideoRegionOfInterestMeta *region;

  g_test_message ("%s %s", properties, out);
  gst_buffer_add_reference_timestamp_meta (frame, clock, 12345, GST_CLOCK_TIME_NONE);
  gst_buffer_add_video_region_of_interest_meta (frame, "face", 16, 12, 8, 4);
  gst_harness_set_sink_caps_str (f->harness, out);
  fixture_set_size (f, 64, 48);
  fixture_push (f, frame);
  result = fixture_pull (f);
  g_assert_nonnull (gst_buffer_get_reference_timestamp_meta (result, clock));
  region = gst_buffer_get_video_region_of_interest_meta_id (result, 0);
  g_assert_nonnull (region);
  g_assert_cmpuint (region->x, ==, x);
  g_assert_cmpuint (region->y, ==, y);
  g_assert_cmpuint (region->w, ==, w);
  g_assert_cmpuint (region->h, ==, h);
}

/* Where frames drop, a frame's picture is let go of when it is sent. */
static void
test_the_frames_metas_are_on_its_result (void)
{
  static const gchar *const out[] = { "video/x-raw", "image/jpeg" };

  for (guint i = 0; i < G_N_ELEMENTS (out); i++) {
    check_metas ("", out[i], 16, 12, 8, 4);
    check_metas ("leaky=downstream", out[i], 16, 12, 8, 4);
    check_metas ("leaky=downstream width=32 height=32", out[i], 5, 8, 5, 2);
  }
  check_metas ("enabled=false", "video/x-raw", 16, 12, 8, 4);
}

/* ---- flaws ---- */

/* Of four JPEGs one is cut off: the server gets the three others, and keeps its connection. */
static void
test_a_picture_that_is_cut_off_is_dropped (void)
{
  FalServerOptions options = { .effect = "echo" };
  g_autoptr (Fixture) f = fixture_new (&options, "leaky=downstream");
  g_autoptr (GBytes) picture = load ("astronaut.jpg");
  guint64 dropped;

  gst_harness_set_src_caps_str (f->harness, "image/jpeg,width=256,height=256");
  for (guint i = 0; i < 4; i++) {
    g_autoptr (GBytes) half = g_bytes_new_from_bytes (picture, 0, g_bytes_get_size (picture) / 2);

    fixture_push (f, gst_buffer_new_wrapped_bytes (i == 2 ? half : picture));
    if (i == 2)
      fixture_wait_for_stat (f, "dropped-invalid", 1);
    else
      gst_buffer_unref (fixture_pull (f));
  }
  g_assert_cmpuint (fixture_stat (f, "frames-sent"), ==, 3);
  g_assert_cmpuint (fixture_stat (f, "answered"), ==, 3);
  g_assert_cmpuint (fixture_stat (f, "reconnections"), ==, 0);
  g_object_get (f->element, "drop", &dropped, NULL);
  g_assert_cmpuint (dropped, ==, 1);
  gst_message_unref (fixture_wait_for_message (f, GST_MESSAGE_WARNING));
}

static void
push_interlaced (Fixture *f, const gchar *mode, guint n)
{
  g_autofree gchar *caps = g_strdup_printf (
      "video/x-raw,format=RGB,width=64,height=48,framerate=30/1,interlace-mode=%s", mode);

  gst_harness_set_src_caps_str (f->harness, caps);
  fixture_push (f, fixture_frame (64, 48, 0x204060, n));
  gst_buffer_unref (fixture_pull (f));
}

static void
test_interlaced_frames_are_told_of_once (void)
{
  FalServerOptions options = { .effect = "echo" };
  g_autoptr (Fixture) f = fixture_new (&options, NULL);
  g_autoptr (GstMessage) warning = NULL;
  g_autoptr (GstMessage) second = NULL;
  g_autoptr (GError) error = NULL;

  push_interlaced (f, "progressive", 0);
  push_interlaced (f, "mixed", 1); /* but this frame is not */
  g_assert_null (gst_bus_pop_filtered (f->bus, GST_MESSAGE_WARNING));
  push_interlaced (f, "interleaved", 2);
  push_interlaced (f, "interleaved", 3);
  warning = gst_bus_pop_filtered (f->bus, GST_MESSAGE_WARNING);
  second = gst_bus_pop_filtered (f->bus, GST_MESSAGE_WARNING);
  g_assert_nonnull (warning);
  g_assert_null (second);
  gst_message_parse_warning (warning, &error, NULL);
  g_assert_nonnull (strstr (error->message, "deinterlace"));
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
#define ADD(name) g_test_add_func ("/pictures/" #name, test_##name)
  ADD (rgb_keeps_its_colours);
  ADD (camera_formats_keep_their_colours);
  ADD (every_schema_brings_its_picture);
  ADD (pictures_travel_untouched_where_downstream_takes_them);
  ADD (downstream_chooses_the_format);
  ADD (what_downstream_cannot_take_is_an_error);
  ADD (the_picture_is_fitted_before_it_is_sent);
  ADD (an_oversized_picture_is_counted_and_dropped);
  ADD (a_result_has_the_shape_of_its_frame);
  ADD (a_picture_has_the_shape_that_its_caps_say);
  ADD (the_frames_metas_are_on_its_result);
  ADD (a_picture_that_is_cut_off_is_dropped);
  ADD (interlaced_frames_are_told_of_once);
  return fixture_run ();
}
