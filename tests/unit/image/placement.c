/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Literal places. */
#include <fal/image/placement.h>

typedef struct {
  const gchar *what;
  gint width, height; /* of the result */
  FalLayout layout;
  FalArea region;
  FalFit fit;
  FalPlacement wanted;
} Row;

#define SENT(w, h, ...) { w, h, 1, 1, { 0, 0, 100, 100 }, __VA_ARGS__ }

static const Row rows[] = {
  { "the same size", 512, 512, SENT (512, 512, { 0, 0, 512, 512 }), { 7, 9, 300, 200 },
      FAL_FIT_CROP, { 0, 0, 512, 512, { 7, 9, 300, 200 } } },
  { "half the size, with bars", 256, 256, SENT (512, 512, { 0, 112, 512, 288 }),
      { 0, 0, 1920, 1080 }, FAL_FIT_CROP, { 0, 56, 256, 144, { 0, 0, 1920, 1080 } } },
  { "a place between pixels", 100, 100, SENT (300, 300, { 0, 50, 300, 200 }), { 0, 0, 30, 20 },
      FAL_FIT_CROP, { 0, 50 / 3.0, 100, 200 / 3.0, { 0, 0, 30, 20 } } },
  { "sides that were rounded", 1280, 704, SENT (1280, 720, { 0, 0, 1280, 720 }),
      { 0, 0, 1280, 720 }, FAL_FIT_CROP, { 0, 0, 1280, 704, { 0, 0, 1280, 720 } } },
  { "wider, cropped", 1024, 512, SENT (512, 512, { 0, 0, 512, 512 }), { 10, 10, 64, 64 },
      FAL_FIT_CROP, { 256, 0, 512, 512, { 10, 10, 64, 64 } } },
  { "wider, whole", 1024, 512, SENT (512, 512, { 0, 0, 512, 512 }), { 10, 10, 64, 64 },
      FAL_FIT_LETTERBOX, { 0, 0, 1024, 512, { 10, 26, 64, 32 } } },
  { "wider, stretched", 1024, 512, SENT (512, 512, { 0, 0, 512, 512 }), { 10, 10, 64, 64 },
      FAL_FIT_STRETCH, { 0, 0, 1024, 512, { 10, 10, 64, 64 } } },
  { "higher, cropped", 512, 1024, SENT (512, 512, { 0, 0, 512, 512 }), { 10, 10, 64, 64 },
      FAL_FIT_CROP, { 0, 256, 512, 512, { 10, 10, 64, 64 } } },
  { "the lower half, whole", 1024, 512, SENT (512, 512, { 0, 256, 512, 256 }), { 10, 10, 64, 64 },
      FAL_FIT_LETTERBOX, { 0, 256, 1024, 256, { 10, 10, 64, 32 } } },
  { "the upper half, whole", 1024, 512, SENT (512, 512, { 0, 0, 512, 256 }), { 10, 10, 64, 64 },
      FAL_FIT_LETTERBOX, { 0, 0, 1024, 256, { 10, 42, 64, 32 } } },
  { "a strip that is cut off", 1024, 512, SENT (512, 512, { 0, 0, 512, 64 }), { 10, 10, 64, 64 },
      FAL_FIT_LETTERBOX, { 0, 0, 1024, 1, { 10, 73, 64, 1 } } },
  { "a picture without a height", 320, 180, { 320, 0, 1, 1, { 0 }, { 0, 0, 320, 180 } },
      { 0, 0, 1920, 1080 }, FAL_FIT_CROP, { 0, 0, 320, 180, { 0, 0, 1920, 1080 } } },
  { "a place without a width", 320, 180, SENT (320, 180, { 9, 9, 0, 90 }), { 0, 0, 1920, 1080 },
      FAL_FIT_CROP, { 0, 0, 320, 180, { 0, 0, 1920, 1080 } } },
  { "a place without a height", 320, 180, SENT (320, 180, { 9, 9, 90, 0 }), { 0, 0, 1920, 1080 },
      FAL_FIT_CROP, { 0, 0, 320, 180, { 0, 0, 1920, 1080 } } },
  { "nothing known of what was sent", 320, 180, { 0 }, { 0, 0, 1920, 1080 }, FAL_FIT_CROP,
      { 0, 0, 320, 180, { 0, 0, 1920, 1080 } } },
  { "nothing known, another shape", 300, 100, { 0 }, { 0, 0, 200, 200 }, FAL_FIT_CROP,
      { 100, 0, 100, 100, { 0, 0, 200, 200 } } },
};

static void
test_places (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    const FalPlacement *wanted = &rows[i].wanted;
    FalPlacement got;

    g_test_message ("%s", rows[i].what);
    fal_placement_find (
        &got, rows[i].width, rows[i].height, &rows[i].layout, &rows[i].region, rows[i].fit);
    g_assert_cmpfloat_with_epsilon (got.x, wanted->x, 1e-9);
    g_assert_cmpfloat_with_epsilon (got.y, wanted->y, 1e-9);
    g_assert_cmpfloat_with_epsilon (got.width, wanted->width, 1e-9);
    g_assert_cmpfloat_with_epsilon (got.height, wanted->height, 1e-9);
    g_assert_cmpmem (&got.area, sizeof got.area, &wanted->area, sizeof wanted->area);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/placement/places", test_places);
  return g_test_run ();
}
