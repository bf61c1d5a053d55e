/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Elements of rows, one format of each kind. */
#include <fal/image/plane-layout.h>

typedef struct {
  const gchar *format;
  guint plane;
  const gchar *elements; /* the components of a row of four pixels; "-": none */
  gint row, odd_row;     /* elements of a row of four pixels, and of three */
  gint rows;             /* for three */
} Row;

static const Row rows[] = {
  { "I420", 0, "0000", 4, 3, 3 },
  { "I420", 2, "22", 2, 2, 2 },
  { "NV12", 1, "1212", 4, 4, 2 },
  { "NV21", 1, "2121", 4, 4, 2 },
  { "YUY2", 0, "01020102", 8, 8, 3 },
  { "UYVY", 0, "10201020", 8, 7, 3 },
  { "YVYU", 0, "02010201", 8, 8, 3 },
  { "RGB", 0, "012012012012", 12, 9, 3 },
  { "BGRx", 0, "210-210-210-210-", 16, 12, 3 },
  { "xRGB", 0, "-012-012-012-012", 16, 12, 3 },
  { "AYUV", 0, "3012301230123012", 16, 12, 3 },
  { "P010_10LE", 1, "1212", 4, 4, 2 },
  { "GBR", 0, "1111", 4, 3, 3 },
  { "A420", 3, "3333", 4, 3, 3 },
};

static FalPlaneLayout
get_layout (const gchar *format)
{
  FalPlaneLayout layout;

  g_assert_true (fal_plane_layout_init (
      &layout, gst_video_format_get_info (gst_video_format_from_string (format))));
  return layout;
}

static gchar
element_of (const FalPlaneLayout *layout, guint plane, gint i)
{
  for (guint k = 0; k < layout->n_components; k++) {
    FalSamplePlace place = fal_plane_layout_find (layout, k);

    if (place.plane == plane && i % place.step == place.at)
      return '0' + k;
  }
  return '-';
}

static void
test_elements (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    FalPlaneLayout layout = get_layout (rows[i].format);

    g_test_message ("%s", rows[i].format);
    g_assert_cmpint (fal_plane_layout_get_row (&layout, rows[i].plane, 4), ==, rows[i].row);
    g_assert_cmpint (fal_plane_layout_get_row (&layout, rows[i].plane, 3), ==, rows[i].odd_row);
    g_assert_cmpint (fal_plane_layout_get_rows (&layout, rows[i].plane, 3), ==, rows[i].rows);
    for (guint k = 0; rows[i].elements[k] != '\0'; k++)
      g_assert_cmpint (element_of (&layout, rows[i].plane, k), ==, rows[i].elements[k]);
  }
}

static void
test_depths (void)
{
  FalPlaneLayout eight = get_layout ("NV12"), ten = get_layout ("I420_10LE");
  FalPlaneLayout high = get_layout ("P010_10LE");

  g_assert_false (eight.wide);
  g_assert_true (ten.wide);
  g_assert_cmpuint (ten.depth, ==, 10);
  g_assert_cmpuint (ten.shift, ==, 0);
  g_assert_cmpuint (high.depth, ==, 10);
  g_assert_cmpuint (high.shift, ==, 6);
  g_assert_cmpint (eight.alpha, ==, -1);
  g_assert_cmpint (get_layout ("ARGB").alpha, ==, 3);
  g_assert_true (fal_plane_layout_is_subsampled (&eight, 2));
  g_assert_false (fal_plane_layout_is_subsampled (&eight, 0));
}

static void
test_others_are_not_taken (void)
{
  static const gchar *const formats[] = { "v210", "UYVP", "RGB16", "RGB15", "RGB8P", "r210", "IYU1",
    "NV12_64Z32", "NV12_10LE32", "GRAY10_LE32", "I420_10BE", "VYUY", "BGR10A2_LE" };
  FalPlaneLayout layout;

  for (guint i = 0; i < G_N_ELEMENTS (formats); i++)
    g_assert_false (fal_plane_layout_init (
        &layout, gst_video_format_get_info (gst_video_format_from_string (formats[i]))));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  g_test_add_func ("/plane-layout/elements", test_elements);
  g_test_add_func ("/plane-layout/depths", test_depths);
  g_test_add_func ("/plane-layout/others-are-not-taken", test_others_are_not_taken);
  return g_test_run ();
}
